using Skep.Identity.Authorization;

namespace Skep.Identity.Tests.Authorization;

public sealed class ActiveStreamsTests
{
    private readonly ActiveStreams _streams = new();

    [Fact]
    public void All_streams_of_a_removed_node_are_closed_and_nobody_elses()
    {
        using var one = _streams.Enter("gone");
        using var two = _streams.Enter("gone");
        using var other = _streams.Enter("stays");

        Assert.Equal(2, _streams.CloseRemoved(id => id == "gone"));

        Assert.True(one.Removed.IsCancellationRequested);
        Assert.True(two.Removed.IsCancellationRequested);
        Assert.False(other.Removed.IsCancellationRequested);
    }

    [Fact]
    public void Streams_that_a_removed_manager_handed_on_are_closed_too()
    {
        using var forwarded = _streams.Enter("worker", forwardedBy: "gone");

        Assert.Equal(1, _streams.CloseRemoved(id => id == "gone"));
        Assert.True(forwarded.Removed.IsCancellationRequested);
    }

    [Fact]
    public void A_stream_that_has_ended_is_forgotten()
    {
        _streams.Enter("node", forwardedBy: "manager").Dispose();

        Assert.Equal(0, _streams.Count);
        Assert.Equal(0, _streams.CloseRemoved(_ => true));
    }

    [Fact]
    public void A_stream_may_end_while_it_is_being_closed()
    {
        var stream = _streams.Enter("node");
        stream.Removed.Register(stream.Dispose);

        Assert.Equal(1, _streams.CloseRemoved(_ => true));
        Assert.Equal(0, _streams.Count);
    }
}

using Docker.Swarmkit.V1;
using Skep.Agent.Session;
using Skep.Identity.Files;

namespace Skep.Agent.Tests.Session;

public sealed class RemotesTests
{
    private static readonly KnownManager A = new("a", "10.0.0.1:4242");
    private static readonly KnownManager B = new("b", "10.0.0.2:4242");

    private static WeightedPeer Peer(KnownManager manager) => new() { Peer = new Peer { NodeId = manager.NodeId, Addr = manager.Address }, Weight = 10 };

    [Fact]
    public void A_session_message_replaces_the_list_and_has_it_saved()
    {
        var saved = new List<IReadOnlyList<KnownManager>>();
        var remotes = new Remotes([new("", "10.0.0.9:4242")], new Random(1), saved.Add);
        remotes.Replace([Peer(A), Peer(B)]);
        Assert.Equal([A, B], remotes.All.Order(Comparer<KnownManager>.Create((x, y) => string.CompareOrdinal(x.NodeId, y.NodeId))));
        Assert.Equal(2, Assert.Single(saved).Count);

        remotes.Replace([Peer(B), Peer(A)]);
        Assert.Single(saved);
    }

    [Fact]
    public void A_message_without_managers_leaves_the_way_back()
    {
        var remotes = new Remotes([A], new Random(1));
        remotes.Replace([]);
        remotes.Replace([new WeightedPeer { Peer = new Peer { NodeId = "x" } }]);
        Assert.Equal([A], remotes.All);
    }

    [Fact]
    public void A_manager_that_fails_is_chosen_seldom_and_yet_at_times()
    {
        var remotes = new Remotes([A, B], new Random(1));
        for (var i = 0; i < 10; i++)
        {
            remotes.Observe(A, succeeded: false);
            remotes.Observe(B, succeeded: true);
        }

        var chosen = Enumerable.Range(0, 2000).Count(_ => remotes.Select() == A);
        Assert.InRange(chosen, 1, 100);
    }

    [Fact]
    public async Task Who_knows_no_manager_is_told_when_one_comes()
    {
        var remotes = new Remotes([], new Random(1));
        Assert.Null(remotes.Select());
        var change = remotes.NextChangeAsync(CancellationToken.None);
        remotes.Add(A);
        await change.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(A, remotes.Select());
    }
}

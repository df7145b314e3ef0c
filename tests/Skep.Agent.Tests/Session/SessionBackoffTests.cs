using Skep.Agent.Session;

namespace Skep.Agent.Tests.Session;

public sealed class SessionBackoffTests
{
    [Fact]
    public void The_bound_grows_as_SwarmKits_does_to_8_seconds()
    {
        var backoff = new SessionBackoff(new Random(1));
        Assert.Equal(TimeSpan.Zero, backoff.NextDelay());
        var bounds = Enumerable.Range(0, 8).Select(_ =>
        {
            backoff.Failed();
            return backoff.Bound.TotalMilliseconds;
        });
        Assert.Equal([100, 300, 700, 1500, 3100, 6300, 8000, 8000], bounds);
    }

    [Fact]
    public void The_wait_is_a_random_part_of_the_bound()
    {
        var backoff = new SessionBackoff(new Random(1));
        backoff.Failed();
        backoff.Failed();
        var delays = Enumerable.Range(0, 100).Select(_ => backoff.NextDelay()).ToList();
        Assert.All(delays, d => Assert.InRange(d, TimeSpan.Zero, backoff.Bound));
        Assert.True(delays.Distinct().Count() > 50);
    }

    [Fact]
    public void Being_registered_forgets_the_failures()
    {
        var backoff = new SessionBackoff(new Random(1));
        backoff.Failed();
        backoff.Reset();
        Assert.Equal(TimeSpan.Zero, backoff.NextDelay());
    }
}

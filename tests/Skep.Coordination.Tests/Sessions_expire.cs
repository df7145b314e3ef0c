using Skep.Coordination.Sessions;

namespace Skep.Coordination.Tests;

public sealed class Sessions_expire
{
    private readonly SessionExpiry _expiry = new();

    [Fact]
    public void When_their_client_was_silent_for_their_timeout()
    {
        _expiry.Lead([(1, 4_000), (2, 10_000)], 0);
        for (long now = 500; now < 4_000; now += 500)
        {
            Assert.Empty(_expiry.Expired(now));
        }
        _expiry.Touch(2, 4_000);
        Assert.Equal([1L], _expiry.Expired(4_000));
    }

    [Fact]
    public void Not_before_their_whole_time_under_a_new_leader()
    {
        _expiry.Lead([(1, 4_000)], 0);
        _expiry.Lead([(1, 4_000)], 3_900);
        for (long now = 4_000; now < 7_900; now += 500)
        {
            Assert.Empty(_expiry.Expired(now));
        }
        Assert.Equal([1L], _expiry.Expired(7_900));
    }

    [Fact]
    public void Not_for_the_time_that_the_leader_itself_stood_still()
    {
        _expiry.Lead([(1, 4_000)], 0);
        Assert.Empty(_expiry.Expired(200));
        Assert.Empty(_expiry.Expired(60_200));
        for (long now = 60_400; now < 62_800; now += 200)
        {
            Assert.Empty(_expiry.Expired(now));
        }
        Assert.Equal([1L], _expiry.Expired(63_100));
    }

    [Fact]
    public void Not_again_once_they_are_gone()
    {
        _expiry.Lead([(1, 4_000)], 0);
        _expiry.Remove(1);
        _expiry.Touch(1, 100);
        Assert.Empty(_expiry.Expired(900));
    }
}

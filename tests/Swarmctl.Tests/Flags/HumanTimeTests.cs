using Swarmctl.Output;

namespace Swarmctl.Tests.Flags;

/// <summary>Times as SwarmKit's tables tell them.</summary>
public sealed class HumanTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 4, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "now")]
    [InlineData(0.9, "now")]
    [InlineData(1, "1 second ago")]
    [InlineData(59, "59 seconds ago")]
    [InlineData(60, "1 minute ago")]
    [InlineData(7199, "1 hour ago")]
    [InlineData(86400 * 13, "1 week ago")]
    [InlineData(-30, "30 seconds from now")]
    public void A_time_is_told_from_now(double secondsAgo, string words) => Assert.Equal(words, HumanTime.Ago(Now.AddSeconds(-secondsAgo), Now));
}

using CsCheck;
using Skep.Identity.Tokens;

namespace Skep.Identity.Tests.Tokens;

public sealed class UnlockKeyTests
{
    [Fact]
    public void A_key_is_written_with_its_prefix_and_43_characters() =>
        Assert.Matches("^SWMKEY-1-[0-9A-Za-z+/]{43}$", UnlockKey.Format(UnlockKey.Generate()));

    [Fact]
    public void A_key_survives_being_written_down() =>
        Gen.Byte.Array[32].Sample(key => UnlockKey.Parse(UnlockKey.Format(key)).AsSpan().SequenceEqual(key));

    [Fact]
    public void No_key_is_no_text() => Assert.Equal("", UnlockKey.Format([]));

    [Theory]
    [InlineData("")]
    [InlineData("SWMKEY-1-")]
    [InlineData("SWMKEY-2-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("SWMKEY-1-AAAA")]
    [InlineData("SWMKEY-1-????????????????????????????????????????????")]
    public void What_is_no_key_is_refused_and_says_how_one_looks(string text) =>
        Assert.Contains("SWMKEY-1-", Assert.Throws<FormatException>(() => UnlockKey.Parse(text)).Message, StringComparison.Ordinal);
}

using System.Security.Cryptography;
using CsCheck;
using Skep.Identity.Certificates;
using Skep.Identity.Tokens;

namespace Skep.Identity.Tests.Tokens;

public sealed class JoinTokenTests
{
    // Made by a real SwarmKit manager.
    private const string Real = "SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh";

    private static readonly RootCa Root = RootCa.Create(TimeProvider.System);

    [Fact]
    public void A_new_token_carries_the_digest_of_the_root_bundle_and_a_secret_of_25_characters()
    {
        var token = JoinToken.Generate(Root);

        Assert.Matches("^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$", token.ToString());
        Assert.Equal(SHA256.HashData(Root.BundlePem), JoinToken.Parse(token.ToString()).RootDigest);
    }

    [Fact]
    public void Rotating_changes_the_secret_and_keeps_the_digest()
    {
        var (first, second) = (JoinToken.Generate(Root), JoinToken.Generate(Root));

        Assert.NotEqual(first.Secret, second.Secret);
        Assert.Equal(first.RootDigest, second.RootDigest);
    }

    [Fact]
    public void A_token_of_a_real_SwarmKit_manager_is_read_and_written_alike() =>
        Assert.Equal(Real, JoinToken.Parse(Real).ToString());

    [Fact]
    public void A_token_of_a_FIPS_cluster_has_a_fifth_part()
    {
        var token = JoinToken.Generate(Root, fips: true);

        Assert.StartsWith("SWMTKN-2-1-", token.ToString(), StringComparison.Ordinal);
        Assert.True(JoinToken.Parse(token.ToString()).Fips);
        Assert.False(JoinToken.Parse(token.ToString().Replace("-2-1-", "-2-0-", StringComparison.Ordinal)).Fips);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("notatoken")]
    [InlineData("SWMTKN-1-short-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-short")]
    [InlineData("SWMTKN-3-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMTKN-2-7-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMKEY-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMTKN-1-3FNUHDBQZNAVJ2ZNK48232LQBAUVQO33251BPT8WDDG9QW0BDL-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMTKN-1-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-31n55h9xy3nxsbi24bwqet3xh")]
    [InlineData("SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh-1")]
    public void What_is_no_token_is_refused_in_SwarmKits_words(string? text)
    {
        Assert.False(JoinToken.TryParse(text, out _));
        Assert.Equal("invalid join token", Assert.Throws<FormatException>(() => JoinToken.Parse(text!)).Message);
    }

    [Fact]
    public void Whatever_is_read_is_written_back_unchanged() =>
        Gen.Char["0123456789abcdefghijklmnopqrstuvwxyz-"].Array[0, 30].Sample(tail =>
        {
            var text = Real[..^10] + new string(tail);
            return !JoinToken.TryParse(text, out var token) || token.ToString() == text;
        });

    [Fact]
    public void Only_the_very_same_token_matches()
    {
        Assert.True(JoinToken.Matches(Real, Real));
        Assert.False(JoinToken.Matches(Real, Real[..^1] + "0"));
        Assert.False(JoinToken.Matches(Real, ""));
        Assert.False(JoinToken.Matches(Real, null));
    }

    [Fact]
    public void A_cluster_without_a_token_lets_nobody_in()
    {
        Assert.False(JoinToken.Matches("", ""));
        Assert.False(JoinToken.Matches(null, null));
    }
}

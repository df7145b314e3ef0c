using System.Security.Cryptography;
using System.Text;
using Skep.Api;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tokens;

/// <summary>
/// What a node shows to be let into a cluster: <c>SWMTKN-1-&lt;digest&gt;-&lt;secret&gt;</c>. The digest is the SHA-256 of
/// the root CA's PEM bytes in base36, 50 characters, so that the joiner knows whom it talks to; the secret is 16 random
/// bytes in base36, 25 characters, so that the cluster knows the joiner was invited.
/// </summary>
/// <remarks>A cluster that insists on FIPS writes <c>SWMTKN-2-1-…</c> (source: moby/swarmkit ca/config.go).</remarks>
public sealed record JoinToken
{
    /// <summary>SwarmKit's words for a token that cannot be read.</summary>
    public const string InvalidMessage = "invalid join token";

    private const string Prefix = "SWMTKN";
    private const int DigestLength = 50;
    private const int SecretLength = 25;
    private const int SecretSizeBytes = 16;

    private JoinToken(byte[] rootDigest, string secret, int version, bool fips) =>
        (RootDigest, Secret, Version, Fips) = (rootDigest, secret, version, fips);

    /// <summary>SHA-256 of the root CA's PEM bundle, 32 bytes.</summary>
    public byte[] RootDigest { get; }

    /// <summary>The secret part, 25 characters base36.</summary>
    public string Secret { get; }

    /// <summary>1, or 2 where the token says whether the cluster insists on FIPS.</summary>
    public int Version { get; }

    /// <summary>Whether every node of the cluster must run in FIPS mode.</summary>
    public bool Fips { get; }

    /// <summary>A new token for the cluster of <paramref name="root"/>. Rotating a token is making a new one.</summary>
    public static JoinToken Generate(RootCa root, bool fips = false)
    {
        ArgumentNullException.ThrowIfNull(root);
        Span<byte> secret = stackalloc byte[SecretSizeBytes];
        RandomNumberGenerator.Fill(secret);
        return new JoinToken([.. root.Digest], Base36.Encode(secret, SecretLength), fips ? 2 : 1, fips);
    }

    /// <summary>Reads a token.</summary>
    /// <exception cref="FormatException">With the words "invalid join token".</exception>
    public static JoinToken Parse(string text) =>
        TryParse(text, out var token) ? token : throw new FormatException(InvalidMessage);

    /// <summary>Reads a token; false when it is none.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        var parts = (text ?? "").Split('-');
        if (parts.Length < 4 || parts[0] != Prefix)
        {
            return false;
        }

        var (version, fips) = (parts[1], parts.Length) switch
        {
            ("1", 4) => (1, false),
            ("2", 5) when parts[2] is "0" or "1" => (2, parts[2] == "1"),
            _ => (0, false),
        };
        var (digestText, secret) = (parts[^2], parts[^1]);
        if (version == 0 || digestText.Length != DigestLength || secret.Length != SecretLength)
        {
            return false;
        }

        var digest = new byte[SHA256.HashSizeInBytes];
        if (!Base36.TryDecode(digestText, digest))
        {
            return false;
        }

        token = new JoinToken(digest, secret, version, fips);
        return true;
    }

    /// <summary>
    /// Whether a client's token is the expected one, compared as a whole and in a time that says nothing about where they
    /// differ. An expected token that is empty matches nothing.
    /// </summary>
    public static bool Matches(string? expected, string? presented) =>
        !string.IsNullOrEmpty(expected)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(presented ?? ""));

    /// <inheritdoc />
    public bool Equals(JoinToken? other) => other is not null && Matches(ToString(), other.ToString());

    /// <inheritdoc />
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Secret);

    /// <summary>The token as people pass it around.</summary>
    public override string ToString()
    {
        var kind = Version == 1 ? "1" : Fips ? "2-1" : "2-0";
        return $"{Prefix}-{kind}-{Base36.Encode(RootDigest, DigestLength)}-{Secret}";
    }
}

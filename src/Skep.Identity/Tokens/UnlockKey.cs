using System.Security.Cryptography;

namespace Skep.Identity.Tokens;

/// <summary>
/// The key that opens an autolocked manager, as people write it down: <c>SWMKEY-1-</c> and 32 random bytes in unpadded
/// base64 (source: moby/swarmkit manager/encryption).
/// </summary>
public static class UnlockKey
{
    private const string Prefix = "SWMKEY-1-";

    /// <summary>Size of the key itself.</summary>
    public const int SizeBytes = 32;

    /// <summary>A new random key.</summary>
    public static byte[] Generate() => RandomNumberGenerator.GetBytes(SizeBytes);

    /// <summary>The key as text; an empty key (autolock is off) is an empty text.</summary>
    public static string Format(ReadOnlySpan<byte> key) =>
        key.IsEmpty ? "" : Prefix + Convert.ToBase64String(key).TrimEnd('=');

    /// <summary>The key's bytes.</summary>
    /// <exception cref="FormatException">The text is no unlock key.</exception>
    public static byte[] Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            var body = text[Prefix.Length..];
            var padded = body.PadRight((body.Length + 3) / 4 * 4, '=');
            var key = new byte[padded.Length];
            if (Convert.TryFromBase64String(padded, key, out var sizeBytes) && sizeBytes == SizeBytes)
            {
                return key[..sizeBytes];
            }
        }

        throw new FormatException("invalid key: an unlock key looks like SWMKEY-1- and 43 characters of base64");
    }
}

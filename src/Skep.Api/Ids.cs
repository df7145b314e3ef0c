using System.Security.Cryptography;

namespace Skep.Api;

/// <summary>
/// Ids of everything in a cluster: 25 random characters base36, about 129 bits (source: moby/swarmkit identity/randomid.go).
/// </summary>
public static class Ids
{
    /// <summary>Characters in an id.</summary>
    public const int Length = 25;

    private const int EntropySizeBytes = 17;

    /// <summary>A new id that nobody can guess.</summary>
    public static string New()
    {
        Span<byte> entropy = stackalloc byte[EntropySizeBytes];
        RandomNumberGenerator.Fill(entropy);
        return From(entropy);
    }

    /// <summary>The next id of a seed, for simulations and tests.</summary>
    public static string New(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> entropy = stackalloc byte[EntropySizeBytes];
        random.NextBytes(entropy);
        return From(entropy);
    }

    /// <summary>Whether the text has the form of an id.</summary>
    public static bool IsId(string? text) =>
        text is { Length: Length } && text.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c));

    // With its top bit set a number of 136 bits has 27 digits, and all but the first and last are evenly spread.
    private static string From(Span<byte> entropy)
    {
        entropy[0] |= 0x80;
        return Base36.Encode(entropy, 0)[1..(Length + 1)];
    }
}

using System.Numerics;

namespace Skep.Api;

/// <summary>Unsigned big-endian bytes written with the digits 0-9a-z, as join tokens and ids are.</summary>
public static class Base36
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>The number, with zeros before it up to <paramref name="padToLength"/> characters.</summary>
    public static string Encode(ReadOnlySpan<byte> bigEndian, int padToLength)
    {
        var value = new BigInteger(bigEndian, isUnsigned: true, isBigEndian: true);
        Span<char> buffer = stackalloc char[bigEndian.Length * 2 + 1];
        var at = buffer.Length;
        while (!value.IsZero)
        {
            value = BigInteger.DivRem(value, 36, out var digit);
            buffer[--at] = Digits[(int)digit];
        }

        return new string(buffer[at..]).PadLeft(padToLength, '0');
    }

    /// <summary>False when a character is no base36 digit, or the number does not fit into <paramref name="destination"/>.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination)
    {
        var value = BigInteger.Zero;
        foreach (var c in text)
        {
            var digit = Digits.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            value = value * 36 + digit;
        }

        var sizeBytes = value.GetByteCount(isUnsigned: true);
        if (sizeBytes > destination.Length)
        {
            return false;
        }

        destination.Clear();
        return value.TryWriteBytes(destination[^sizeBytes..], out _, isUnsigned: true, isBigEndian: true);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Skep.Api;

/// <summary>Sizes of memory as people write them (<c>512m</c>, <c>1.5GiB</c>) and read them (<c>24 GiB</c>). Units are powers of 1024.</summary>
public static class ByteSizes
{
    private static readonly System.Buffers.SearchValues<char> Digits = System.Buffers.SearchValues.Create("0123456789.");
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>A size with its unit, to one digit after the point below 10, as SwarmKit's tables show it.</summary>
    public static string Format(long sizeBytes)
    {
        string sign = sizeBytes < 0 ? "-" : "";
        double value = Math.Abs((double)sizeBytes);
        if (value < 10)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{value:0} B");
        }
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        double rounded = Math.Floor((value * 10) + 0.5) / 10;
        return rounded < 10
            ? string.Create(CultureInfo.InvariantCulture, $"{sign}{rounded:0.0} {Units[unit]}")
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Round(rounded, MidpointRounding.ToEven):0} {Units[unit]}");
    }

    /// <summary>Reads a size.</summary>
    /// <exception cref="FormatException">The text is none; the message names it and says what one looks like.</exception>
    public static long Parse(string text) =>
        TryParse(text, out long sizeBytes) ? sizeBytes : throw new FormatException(
            $"invalid size \"{text}\": write a number with a unit, such as 512m, 2g or 1.5GiB");

    /// <summary>Reads a size: a number that is not negative, then nothing or one of b, k, m, g, t, p, with <c>b</c> or <c>ib</c> after it, in any case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out long sizeBytes)
    {
        sizeBytes = 0;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        int number = rest.IndexOfAnyExcept(Digits);
        number = number < 0 ? rest.Length : number;
        if (number == 0
            || !decimal.TryParse(rest[..number], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value))
        {
            return false;
        }
        int power = rest[number..].Trim().ToString().ToLowerInvariant() switch
        {
            "" or "b" => 0,
            "k" or "kb" or "kib" => 1,
            "m" or "mb" or "mib" => 2,
            "g" or "gb" or "gib" => 3,
            "t" or "tb" or "tib" => 4,
            "p" or "pb" or "pib" => 5,
            _ => -1,
        };
        if (power < 0 || value > long.MaxValue >> (10 * power))
        {
            return false;
        }
        sizeBytes = (long)decimal.Truncate(value * (1L << (10 * power)));
        return true;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Api;

/// <summary>
/// Durations as SwarmKit's users write and read them: <c>1h30m</c>, <c>2160h0m0s</c>, <c>1.5s</c>, <c>100ms</c>
/// (the syntax of Go's package time). Whole nanoseconds in 64 bits: about 292 years.
/// </summary>
public static class GoDuration
{
    private static readonly System.Buffers.SearchValues<char> Digits = System.Buffers.SearchValues.Create("0123456789.");

    private const long Microsecond = 1_000;
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private const long Minute = 60 * Second;
    private const long Hour = 60 * Minute;

    /// <summary>The text of a duration; an absent one is <c>0s</c>.</summary>
    public static string Format(Duration? duration) => Format(ToNanoseconds(duration));

    /// <summary>The text of a duration.</summary>
    public static string Format(TimeSpan duration) => Format(checked(duration.Ticks * TimeSpan.NanosecondsPerTick));

    /// <summary>The text of a number of nanoseconds.</summary>
    public static string Format(long nanoseconds)
    {
        if (nanoseconds == 0)
        {
            return "0s";
        }
        ulong rest = nanoseconds < 0 ? (ulong)-(nanoseconds + 1) + 1 : (ulong)nanoseconds;
        var text = new StringBuilder(nanoseconds < 0 ? "-" : "");
        if (rest < Second)
        {
            (ulong unit, string name) = rest switch
            {
                < Microsecond => (1UL, "ns"),
                < Millisecond => ((ulong)Microsecond, "µs"),
                _ => ((ulong)Millisecond, "ms"),
            };
            return AppendDecimal(text, rest, unit).Append(name).ToString();
        }
        ulong hours = rest / Hour;
        ulong minutes = rest % Hour / Minute;
        if (hours > 0)
        {
            text.Append(hours).Append('h');
        }
        if (rest >= Minute)
        {
            text.Append(minutes).Append('m');
        }
        return AppendDecimal(text, rest % Minute, Second).Append('s').ToString();
    }

    /// <summary>Reads a duration.</summary>
    /// <exception cref="FormatException">The text is none; the message names it and says what one looks like.</exception>
    public static Duration Parse(string text) =>
        TryParse(text, out Duration? duration) ? duration : throw new FormatException(
            $"invalid duration \"{text}\": write numbers with units, such as 10s, 1m30s or 500ms");

    /// <summary>Reads a duration: a sign, then numbers each with its unit (ns, us, ms, s, m, h); or a plain 0.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Duration? duration)
    {
        duration = null;
        ReadOnlySpan<char> rest = text;
        bool negative = rest.Length > 0 && rest[0] == '-';
        if (negative || (rest.Length > 0 && rest[0] == '+'))
        {
            rest = rest[1..];
        }
        if (rest is "0")
        {
            duration = new();
            return true;
        }
        if (rest.IsEmpty)
        {
            return false;
        }
        decimal sum = 0;
        while (!rest.IsEmpty)
        {
            int number = rest.IndexOfAnyExcept(Digits);
            if (number <= 0
                || !decimal.TryParse(rest[..number], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value))
            {
                return false;
            }
            rest = rest[number..];
            int length = rest.IndexOfAny(Digits);
            length = length < 0 ? rest.Length : length;
            long unit = rest[..length] switch
            {
                "ns" => 1,
                "us" or "µs" or "μs" => Microsecond,
                "ms" => Millisecond,
                "s" => Second,
                "m" => Minute,
                "h" => Hour,
                _ => 0,
            };
            if (unit == 0 || value > long.MaxValue / unit)
            {
                return false;
            }
            sum += decimal.Truncate(value * unit);
            rest = rest[length..];
        }
        if (sum > long.MaxValue)
        {
            return false;
        }
        duration = FromNanoseconds(negative ? -(long)sum : (long)sum);
        return true;
    }

    /// <summary>A duration of the contracts.</summary>
    public static Duration FromNanoseconds(long nanoseconds) =>
        new() { Seconds = nanoseconds / Second, Nanos = (int)(nanoseconds % Second) };

    /// <summary>Nanoseconds of a duration; 0 for an absent one, and the nearest that fits for one too long.</summary>
    public static long ToNanoseconds(Duration? duration)
    {
        if (duration is null)
        {
            return 0;
        }
        Int128 sum = ((Int128)duration.Seconds * Second) + duration.Nanos;
        return (long)Int128.Clamp(sum, long.MinValue, long.MaxValue);
    }

    private static StringBuilder AppendDecimal(StringBuilder text, ulong value, ulong unit)
    {
        text.Append(value / unit);
        ulong fraction = value % unit;
        if (fraction > 0)
        {
            int digits = unit.ToString(CultureInfo.InvariantCulture).Length - 1;
            text.Append('.').Append(fraction.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0').TrimEnd('0'));
        }
        return text;
    }
}

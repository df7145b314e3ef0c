using Google.Protobuf.WellKnownTypes;
using Skep.Api;

namespace Skep.Manager.Control.Rules;

/// <summary>Durations from the wire.</summary>
internal static class DurationRules
{
    /// <summary>The duration in nanoseconds, or null where it is absent.</summary>
    public static long? Nanoseconds(Duration? duration, string field)
    {
        if (duration is null)
        {
            return null;
        }
        bool valid = Math.Abs(duration.Seconds) <= long.MaxValue / 1_000_000_000
            && Math.Abs((long)duration.Nanos) <= 999_999_999
            && !(duration.Seconds > 0 && duration.Nanos < 0)
            && !(duration.Seconds < 0 && duration.Nanos > 0);
        return valid ? GoDuration.ToNanoseconds(duration) : throw Refusal.Invalid(
            $"{field}: {duration.Seconds} seconds and {duration.Nanos} nanoseconds are not a duration");
    }

    /// <summary>Refuses a negative duration in SwarmKit's words.</summary>
    public static void CheckNotNegative(Duration? duration, string field, string words)
    {
        if (Nanoseconds(duration, field) < 0)
        {
            throw Refusal.Invalid(words);
        }
    }
}

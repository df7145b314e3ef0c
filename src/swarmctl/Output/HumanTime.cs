using Google.Protobuf.WellKnownTypes;

namespace Swarmctl.Output;

/// <summary>How long ago, in the words of SwarmKit's tables.</summary>
internal static class HumanTime
{
    private const long Minute = 60;
    private const long Hour = 60 * Minute;
    private const long Day = 24 * Hour;
    private const long Week = 7 * Day;
    private const long Month = 30 * Day;
    private const long Year = 12 * Month;

    private static readonly (long BelowSeconds, string Words, long UnitSeconds)[] Magnitudes =
    [
        (1, "now", 0), (2, "1 second", 0), (Minute, "# seconds", 1),
        (2 * Minute, "1 minute", 0), (Hour, "# minutes", Minute), (2 * Hour, "1 hour", 0), (Day, "# hours", Hour),
        (2 * Day, "1 day", 0), (Week, "# days", Day), (2 * Week, "1 week", 0), (Month, "# weeks", Week),
        (2 * Month, "1 month", 0), (Year, "# months", Month), (18 * Month, "1 year", 0), (2 * Year, "2 years", 0),
        (37 * Year, "# years", Year), (long.MaxValue, "a long while", 0),
    ];

    public static string Ago(Timestamp? time, DateTimeOffset now) => time is null ? "" : Ago(time.ToDateTimeOffset(), now);

    public static string Ago(DateTimeOffset time, DateTimeOffset now)
    {
        long seconds = (long)Math.Abs((now - time).TotalSeconds);
        (_, string words, long unit) = Magnitudes.First(m => seconds < m.BelowSeconds);
        words = unit == 0 ? words : words.Replace("#", (seconds / unit).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return words == "now" ? words : words + (time > now ? " from now" : " ago");
    }
}

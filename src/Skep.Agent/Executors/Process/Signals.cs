using System.Globalization;

namespace Skep.Agent.Executors.Process;

/// <summary>Linux's signals by name.</summary>
internal static class Signals
{
    private const int RealTimeMin = 34;
    private const int RealTimeMax = 64;

    private static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
        "PWR", "SYS",
    ];

    public static string NameOf(int signal) =>
        signal > 0 && signal < Names.Length ? "SIG" + Names[signal] : $"signal {signal}";

    /// <summary>A signal by number or by name, with or without SIG; null for what is none.</summary>
    public static int? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number is >= 1 and <= RealTimeMax ? number : null;
        }
        var name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        if (name.StartsWith("RTMIN", StringComparison.Ordinal))
        {
            return RealTime(name[5..], RealTimeMin, '+');
        }
        if (name.StartsWith("RTMAX", StringComparison.Ordinal))
        {
            return RealTime(name[5..], RealTimeMax, '-');
        }
        return name.Length > 0 && Array.IndexOf(Names, name) is var at and > 0 ? at : null;
    }

    private static int? RealTime(string offset, int from, char sign)
    {
        if (offset.Length == 0)
        {
            return from;
        }
        return offset[0] == sign
            && int.TryParse(offset.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var by) && by <= 30
                ? sign == '+' ? from + by : from - by
                : null;
    }
}

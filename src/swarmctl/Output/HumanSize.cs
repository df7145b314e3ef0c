using System.Globalization;

namespace Swarmctl.Output;

/// <summary>Bytes with a unit that leaves a number to be read: <c>1.5 MiB</c>.</summary>
internal static class HumanSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    public static string Of(double bytes)
    {
        int unit = 0;
        for (; bytes >= 1024 && unit < Units.Length - 1; bytes /= 1024)
        {
            unit++;
        }
        return bytes.ToString(unit == 0 || bytes >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }
}

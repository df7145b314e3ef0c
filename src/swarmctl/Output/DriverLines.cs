using Docker.Swarmkit.V1;

namespace Swarmctl.Output;

/// <summary>A driver and its options, as several objects show them.</summary>
internal static class DriverLines
{
    public static TabText Add(TabText text, string label, Driver driver, string indent)
    {
        text.Line($"{label}\t: {driver.Name}");
        foreach ((string key, string value) in driver.Options.OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            text.Line(value.Length > 0 ? $"{indent}{key}\t: {value}" : $"{indent}{key}\t");
        }
        return text;
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Swarmctl.Connection;

namespace Swarmctl.Flags;

/// <summary>Flags and ways to read them that several commands share.</summary>
internal static class CommonFlags
{
    public static Option<bool> Quiet(string description) => new("--quiet", "-q") { Description = description };

    public static Option<bool> AllTasks() => new("--all", "-a") { Description = "Show all tasks (default shows just running)" };

    public static Option<string> Text(string name, string description, string help = "string") => new(name) { Description = description, HelpName = help };

    public static Option<string[]> List(string name, string description, string help = "strings") => new(name) { Description = description, HelpName = help, Arity = ArgumentArity.OneOrMore };

    public static Option<ulong> Count(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "uint",
        CustomParser = result => Number<ulong>(result, name, "a whole number that is not negative"),
    };

    public static Option<long> Integer(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "int",
        CustomParser = result => Number<long>(result, name, "a whole number"),
    };

    /// <summary>The values of a list flag: each may hold several, parted by commas, quoted as in CSV.</summary>
    public static List<string> Values(this Session s, Option<string[]> option)
    {
        var values = new List<string>();
        foreach (string given in s.Flags.GetValue(option) ?? [])
        {
            values.AddRange(CsvLine.Split(given, option.Name));
        }
        return values;
    }

    public static Dictionary<string, string> Labels(this Session s, Option<string[]> option)
    {
        var labels = new Dictionary<string, string>();
        foreach (string label in s.Values(option))
        {
            string[] parts = label.Split('=', 2, StringSplitOptions.TrimEntries);
            labels[parts[0]] = parts.Length == 2 ? parts[1] : throw new UserException($"invalid argument \"{label}\" for {option.Name}: expected key=value");
        }
        return labels;
    }

    private static T Number<T>(ArgumentResult result, string name, string expected)
        where T : struct, IBinaryInteger<T>
    {
        string text = result.Tokens[^1].Value;
        if (!T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value))
        {
            result.AddError($"invalid argument \"{text}\" for {name}: expected {expected}");
        }
        return value;
    }

    /// <exception cref="UserException">The flag's value is no duration.</exception>
    public static Duration Duration(Session s, Option<string> option)
    {
        string text = s.Flags.GetValue(option) ?? "";
        return GoDuration.TryParse(text, out Duration? value)
            ? value
            : throw new UserException($"invalid argument \"{text}\" for {option.Name}: expected a duration such as 10s, 1m30s or 2h");
    }

    /// <summary>The driver that the flags name, or null when they name none.</summary>
    public static Driver? LogDriver(Session s, Option<string> driver, Option<string[]> options)
    {
        if (!s.Has(driver))
        {
            return s.Has(options) ? throw new UserException($"{options.Name} needs {driver.Name}: name the log driver that the options are for") : null;
        }
        var result = new Driver { Name = s.Flags.GetValue(driver) };
        foreach (string option in s.Values(options))
        {
            string[] parts = option.Split('=', 2);
            result.Options[parts[0]] = parts.Length == 2 ? parts[1] : "";
        }
        return result;
    }
}

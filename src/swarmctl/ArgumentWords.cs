using System.CommandLine;

namespace Swarmctl;

/// <summary>
/// Lets a flag's value begin with a dash, as Go's flags do: <c>--args -c</c> becomes <c>--args=-c</c> before it is parsed.
/// </summary>
internal static class ArgumentWords
{
    public static string[] Join(RootCommand root, string[] args)
    {
        HashSet<string> withValue = [.. Options(root).Where(o => o.ValueType != typeof(bool)).SelectMany(o => o.Aliases.Append(o.Name))];
        var words = new List<string>(args.Length);
        for (int i = 0; i < args.Length; i++)
        {
            bool joins = withValue.Contains(args[i]) && i + 1 < args.Length && args[i + 1].StartsWith('-');
            words.Add(joins ? $"{args[i]}={args[++i]}" : args[i]);
        }
        return [.. words];
    }

    private static IEnumerable<Option> Options(Command command) => command.Options.Concat(command.Subcommands.SelectMany(Options));
}

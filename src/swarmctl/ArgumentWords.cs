using System.CommandLine;

namespace Swarmctl;

/// <summary>
/// Reads flags as SwarmKit's command line does (Go's pflag): a value may begin with a dash (<c>--args -c</c>), of a flag given
/// twice the last counts unless it is a list, and a flag that is not known is an error, never an argument.
/// </summary>
internal static class ArgumentWords
{
    /// <summary>The name of the first command, or null where there is none.</summary>
    public static string? FirstCommand(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "-s" or "--socket" or "--format")
            {
                i++;
            }
            else if (!args[i].StartsWith('-'))
            {
                return args[i] == "svc" ? "service" : args[i];
            }
        }
        return null;
    }

    /// <summary>The words with every flag written as <c>--name=value</c>, as the parser takes them without doubt.</summary>
    /// <exception cref="UserException">There is no such command or flag, or a flag lacks its value.</exception>
    public static string[] Normalize(Command root, string[] args)
    {
        // A shell's completion asks with a directive and one whole line.
        if (args is [['[', ..], ..])
        {
            return args;
        }
        var words = new FlagWords();
        Command command = root;
        List<Option> known = [.. root.Options];
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out string? word))
        {
            if (word == "--")
            {
                words.Add(word);
                while (rest.TryDequeue(out word))
                {
                    words.Add(word);
                }
            }
            else if (word.StartsWith("--", StringComparison.Ordinal))
            {
                string[] parts = word.Split('=', 2);
                words.Add(Find(known, parts[0]), parts.Length == 2 ? parts[1] : null, rest);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                AddShort(words, known, word, rest);
            }
            else
            {
                words.Add(word);
                if (command.Subcommands.Count > 0)
                {
                    command = command.Subcommands.FirstOrDefault(c => c.Name == word || c.Aliases.Contains(word))
                        ?? throw new UserException($"unknown command \"{word}\" for \"{(command == root ? "" : "swarmctl ")}{(command == root ? "swarmctl" : command.Name)}\"");
                    known = [.. command.Options, .. known.Where(o => o.Recursive)];
                }
            }
        }
        if (command.Subcommands.Count > 0 && command.Action is null)
        {
            words.Add("--help");
        }
        return words.ToArray();
    }

    // -aq is -a -q, and -s/run/x is -s /run/x.
    private static void AddShort(FlagWords words, List<Option> known, string word, Queue<string> rest)
    {
        for (string letters = word[1..]; letters.Length > 0;)
        {
            Option option = Find(known, "-" + letters[0]);
            letters = letters[1..];
            if (FlagWords.TakesValue(option) || letters.StartsWith('='))
            {
                words.Add(option, letters.Length > 0 ? letters[(letters[0] == '=' ? 1 : 0)..] : null, rest);
                return;
            }
            words.Add(option, null, rest);
        }
    }

    private static Option Find(List<Option> known, string name) =>
        known.Find(o => o.Name == name || o.Aliases.Contains(name))
        ?? throw new UserException(name.StartsWith("--", StringComparison.Ordinal) ? $"unknown flag: {name}" : $"unknown shorthand flag: {name}");
}

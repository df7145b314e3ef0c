using System.CommandLine;

namespace Swarmctl;

/// <summary>The words of a command line as they are read, of each flag that is no list only the last.</summary>
internal sealed class FlagWords
{
    private readonly List<string?> words = [];
    private readonly Dictionary<Option, int> singles = [];

    public static bool TakesValue(Option option) => option.ValueType != typeof(bool) && option.Arity.MaximumNumberOfValues > 0;

    public void Add(string word) => words.Add(word);

    /// <summary>Adds a flag with the value given behind a <c>=</c>, or else with the next word if it takes one.</summary>
    public void Add(Option option, string? value, Queue<string> rest)
    {
        if (TakesValue(option))
        {
            value = value ?? (rest.TryDequeue(out string? next) ? next : throw new UserException($"flag needs an argument: {option.Name}"));
        }
        else if (value is not null)
        {
            value = Truth(option, value);
        }
        if (option.Arity.MaximumNumberOfValues <= 1)
        {
            if (singles.TryGetValue(option, out int earlier))
            {
                words[earlier] = null;
            }
            singles[option] = words.Count;
        }
        words.Add(value is null ? option.Name : $"{option.Name}={value}");
    }

    public string[] ToArray() => [.. words.OfType<string>()];

    private static string Truth(Option option, string value) => value.ToUpperInvariant() switch
    {
        "1" or "T" or "TRUE" => "true",
        "0" or "F" or "FALSE" => "false",
        _ => throw new UserException($"invalid argument \"{value}\" for {option.Name}: expected true or false"),
    };
}

using System.CommandLine;
using Swarmctl.Connection;

namespace Swarmctl.Flags;

/// <summary>A flag whose value is one of a few words.</summary>
internal static class Choice
{
    /// <exception cref="UserException">It is none of them.</exception>
    public static string Of(Session s, Option<string> option, params string[] words)
    {
        string given = s.Flags.GetValue(option) ?? "";
        return words.FirstOrDefault(w => w.Equals(given, StringComparison.OrdinalIgnoreCase))
            ?? throw new UserException($"invalid argument \"{given}\" for {option.Name}: expected {string.Join(" or ", words)}");
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Skep.Manager.Scheduling;

/// <summary>
/// One placement constraint: a key, == or !=, and a value compared without regard to case
/// (syntax and error words: moby/swarmkit manager/constraint/constraint.go).
/// </summary>
internal sealed record Constraint(string Key, bool Equal, string Value)
{
    private static readonly SearchValues<char> KeyStart =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    private static readonly SearchValues<char> KeyRest =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    private static readonly SearchValues<char> ValueAny =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_ \t\n\f\r.*()?+[]\\^$|/");

    /// <summary>Parses all expressions or says, in SwarmKit's words, what is wrong with the first bad one.</summary>
    public static bool TryParse(
        IEnumerable<string> expressions,
        [NotNullWhen(true)] out IReadOnlyList<Constraint>? constraints,
        [NotNullWhen(false)] out string? error)
    {
        var parsed = new List<Constraint>();
        foreach (string expression in expressions)
        {
            if (!TryParse(expression, out Constraint? constraint, out error))
            {
                constraints = null;
                return false;
            }
            parsed.Add(constraint);
        }
        (constraints, error) = (parsed, null);
        return true;
    }

    /// <summary>The expression as people write it.</summary>
    public override string ToString() => $"{Key}{(Equal ? "==" : "!=")}{Value}";

    private static bool TryParse(string expression, [NotNullWhen(true)] out Constraint? constraint, [NotNullWhen(false)] out string? error)
    {
        constraint = null;
        // The first "==" counts, even where a "!=" comes before it.
        bool equal = true;
        int at = expression.IndexOf("==", StringComparison.Ordinal);
        if (at < 0)
        {
            equal = false;
            at = expression.IndexOf("!=", StringComparison.Ordinal);
        }
        if (at < 0)
        {
            error = "constraint expected one operator from ==, !=";
            return false;
        }
        string key = expression[..at].Trim();
        if (key.Length < 2 || !KeyStart.Contains(key[0]) || key.AsSpan(1).ContainsAnyExcept(KeyRest))
        {
            error = $"key '{key}' is invalid";
            return false;
        }
        string value = expression[(at + 2)..].Trim();
        if (value.Length == 0 || value.AsSpan().ContainsAnyExcept(ValueAny))
        {
            error = $"value '{value}' is invalid";
            return false;
        }
        constraint = new(key, equal, value);
        error = null;
        return true;
    }
}

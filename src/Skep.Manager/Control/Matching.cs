using Google.Protobuf.Collections;

namespace Skep.Manager.Control;

/// <summary>How lists are filtered: an empty filter lets everything through, the values of one filter are alternatives.</summary>
internal static class Matching
{
    /// <summary>Whether a value is one of those asked for.</summary>
    public static bool OneOf<T>(T value, RepeatedField<T>? wanted) => wanted is null or { Count: 0 } || wanted.Contains(value);

    /// <summary>Whether a value starts with one of those asked for.</summary>
    public static bool StartsWithOneOf(string value, RepeatedField<string>? wanted) =>
        wanted is null or { Count: 0 } || wanted.Any(p => value.StartsWith(p, StringComparison.Ordinal));

    /// <summary>Whether every label asked for is there; an empty value asks for the key alone.</summary>
    public static bool HasLabels(MapField<string, string>? labels, MapField<string, string>? wanted) =>
        wanted is null or { Count: 0 }
        || wanted.All(w => labels is not null && labels.TryGetValue(w.Key, out string? value) && (w.Value.Length == 0 || w.Value == value));

    /// <summary>
    /// Secrets, configs and resources: names, prefixes of names and prefixes of ids are alternatives to each other.
    /// </summary>
    public static bool AnyName(string id, string name, RepeatedField<string>? names, RepeatedField<string>? namePrefixes, RepeatedField<string>? idPrefixes)
    {
        if (names is null or { Count: 0 } && namePrefixes is null or { Count: 0 } && idPrefixes is null or { Count: 0 })
        {
            return true;
        }
        return (names?.Any(n => string.Equals(n, name, StringComparison.OrdinalIgnoreCase)) ?? false)
            || (namePrefixes?.Any(p => name.StartsWith(p, StringComparison.OrdinalIgnoreCase)) ?? false)
            || (idPrefixes?.Any(p => id.StartsWith(p, StringComparison.Ordinal)) ?? false);
    }
}

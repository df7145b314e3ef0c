using System.Text;
using Docker.Swarmkit.V1;

namespace Skep.Api;

/// <summary>
/// Names of enum values as the contracts write them (<c>ON_FAILURE</c>), made from C#'s (<c>OnFailure</c>): without
/// descriptors, so that the trimmed command line has them too.
/// </summary>
public static class WireNames
{
    /// <summary>The contract's name of a value; the number of one this version does not know.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        if (name.Length == 0 || !char.IsAsciiLetterUpper(name[0]))
        {
            return name;
        }
        var text = new StringBuilder((name.Length * 2) + 11);
        // The generator takes the type's name off the values where it is their prefix.
        if (typeof(T) == typeof(ContainerSpec.Types.Isolation))
        {
            text.Append("ISOLATION_");
        }
        else if (typeof(T) == typeof(LogStream))
        {
            text.Append("LOG_STREAM_");
        }
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(name[i]))
            {
                text.Append('_');
            }
            text.Append(char.ToUpperInvariant(name[i]));
        }
        return Exceptions(text.ToString());
    }

    /// <summary>Reads a value's name in any case, with _ or - or nothing between its words: on-failure, ON_FAILURE, onfailure.</summary>
    public static bool TryParse<T>(string? text, out T value)
        where T : struct, Enum
    {
        value = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }
        string wanted = Bare(text);
        foreach (T candidate in Enum.GetValues<T>())
        {
            if (string.Equals(Bare(Of(candidate)), wanted, StringComparison.OrdinalIgnoreCase))
            {
                value = candidate;
                return true;
            }
        }
        return false;
    }

    private static string Bare(string text) => text.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);

    // Digits in names cannot be told from C#'s spelling: AES_128_GCM and SECRETBOX_SALSA20_POLY1305.
    private static string Exceptions(string name) => name switch
    {
        "AES128_GCM" or "AES128GCM" => "AES_128_GCM",
        "FERNET_AES128_CBC" or "FERNET_AES128CBC" => "FERNET_AES_128_CBC",
        _ => name,
    };
}

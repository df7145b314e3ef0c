using System.Text;

namespace Skep.Coordination.Access;

/// <summary>The list of <c>name=value</c>, the value in quotes or not, of which DIGEST-MD5's messages consist (RFC 2831, 7.1).</summary>
internal static class SaslDirectives
{
    private const int MaxDirectives = 32;

    /// <summary>Reads them; the values a byte a character.</summary>
    /// <exception cref="SaslRefusedException">The bytes are no such list, or name something twice.</exception>
    public static Dictionary<string, string> Read(ReadOnlySpan<byte> token)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        ReadOnlySpan<byte> rest = token.Trim(" \t\r\n,"u8);
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'=');
            if (end <= 0)
            {
                throw new SaslRefusedException("a directive without a value");
            }
            string name = Encoding.Latin1.GetString(rest[..end].Trim(" \t\r\n"u8));
            rest = rest[(end + 1)..].TrimStart(" \t\r\n"u8);
            string value = rest is [(byte)'"', ..] ? Quoted(ref rest) : Plain(ref rest);
            if (found.Count == MaxDirectives || !found.TryAdd(name, value))
            {
                throw new SaslRefusedException(found.Count == MaxDirectives ? $"more than {MaxDirectives} directives" : $"{name} is said twice");
            }
            rest = rest.TrimStart(" \t\r\n"u8);
            if (!rest.IsEmpty && rest[0] != (byte)',')
            {
                throw new SaslRefusedException($"something follows the value of {name}");
            }
            rest = rest.TrimStart(" \t\r\n,"u8);
        }
        return found;
    }

    private static string Plain(ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)',');
        ReadOnlySpan<byte> value = end < 0 ? rest : rest[..end];
        rest = rest[value.Length..];
        return Encoding.Latin1.GetString(value.TrimEnd(" \t\r\n"u8));
    }

    private static string Quoted(ref ReadOnlySpan<byte> rest)
    {
        var value = new StringBuilder();
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] == (byte)'"')
            {
                rest = rest[(i + 1)..];
                return value.ToString();
            }
            i += rest[i] == (byte)'\\' && i + 1 < rest.Length ? 1 : 0;
            value.Append((char)rest[i]);
        }
        throw new SaslRefusedException("a quote that does not end");
    }
}

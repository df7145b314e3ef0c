using System.Text;

namespace Skep.Identity.Keys;

/// <summary>
/// One PEM block with headers (RFC 1421), which .NET's own reader does not know: SwarmKit keeps data keys in the headers
/// of the node's key.
/// </summary>
internal sealed record HeaderedPem(string Label, IReadOnlyDictionary<string, string> Headers, byte[] Content)
{
    private const string Begin = "-----BEGIN ";
    private const string End = "-----END ";
    private const string Dashes = "-----";
    private const int LineLength = 64;

    /// <exception cref="FormatException">There is no whole block.</exception>
    public static HeaderedPem Parse(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var begin = Array.FindIndex(lines, l => l.StartsWith(Begin, StringComparison.Ordinal) && l.EndsWith(Dashes, StringComparison.Ordinal));
        if (begin < 0)
        {
            throw new FormatException("there is no line -----BEGIN …-----");
        }

        var label = lines[begin][Begin.Length..^Dashes.Length];
        var end = Array.IndexOf(lines, End + label + Dashes, begin);
        if (end < 0)
        {
            throw new FormatException($"there is no line {End}{label}{Dashes}");
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var at = begin + 1;
        for (; at < end && lines[at].IndexOf(':', StringComparison.Ordinal) is > 0 and var colon; at++)
        {
            headers[lines[at][..colon].Trim()] = lines[at][(colon + 1)..].Trim();
        }

        return new HeaderedPem(label, headers, Convert.FromBase64String(string.Concat(lines[at..end])));
    }

    public override string ToString()
    {
        var text = new StringBuilder().Append(Begin).Append(Label).Append(Dashes).Append('\n');
        foreach (var (name, value) in Headers.OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            text.Append(name).Append(": ").Append(value).Append('\n');
        }

        if (Headers.Count > 0)
        {
            text.Append('\n');
        }

        foreach (var line in Convert.ToBase64String(Content).Chunk(LineLength))
        {
            text.Append(line).Append('\n');
        }

        return text.Append(End).Append(Label).Append(Dashes).Append('\n').ToString();
    }
}

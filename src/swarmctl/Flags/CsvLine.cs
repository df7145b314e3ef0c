using System.Text;

namespace Swarmctl.Flags;

/// <summary>One line of comma-separated values, as SwarmKit's list flags take them: <c>a,"b,c"</c> is two values.</summary>
internal static class CsvLine
{
    public static IEnumerable<string> Split(string line, string flag)
    {
        var values = new List<string>();
        var value = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (quoted && c == '"' && i + 1 < line.Length && line[i + 1] == '"')
            {
                value.Append('"');
                i++;
            }
            else if (c == '"' && (quoted || value.Length == 0))
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                values.Add(value.ToString());
                value.Clear();
            }
            else
            {
                value.Append(c);
            }
        }
        if (quoted)
        {
            throw new UserException($"invalid argument \"{line}\" for {flag}: a quote is not closed");
        }
        values.Add(value.ToString());
        return line.Length == 0 ? [] : values;
    }
}

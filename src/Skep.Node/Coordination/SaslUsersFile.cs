namespace Skep.Node.Coordination;

/// <summary>The file of users who may prove by SASL who they are: <c>name:password</c> a line; empty ones and those after # count for nothing.</summary>
internal static class SaslUsersFile
{
    private const string Flag = "--coordination-sasl-users";
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Reads it, once.</summary>
    /// <exception cref="NodeStartException">It cannot be read, is open to others, or a line is no user; the message never shows a password.</exception>
    public static IReadOnlyDictionary<string, string> Read(string file)
    {
        string[] lines;
        try
        {
            if ((File.GetUnixFileMode(file) & Others) != 0)
            {
                throw new NodeStartException($"{Flag} {file}: others can read or write it, and it holds passwords: chmod 600 {file}");
            }
            lines = File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"{Flag} {file}: {e.Message}", e);
        }
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 || lines[i][0] == '#')
            {
                continue;
            }
            string[] parts = lines[i].Split(':', 2);
            if (parts is not [{ Length: > 0 } name, { Length: > 0 } password] || !users.TryAdd(name, password))
            {
                string what = parts is [{ Length: > 0 } known, { Length: > 0 }] ? $"{known} is there twice" : "expected name:password";
                throw new NodeStartException($"{Flag} {file}, line {i + 1}: {what}");
            }
        }
        return users.Count > 0 ? users : throw new NodeStartException($"{Flag} {file}: there is no user in it; expected name:password a line");
    }
}

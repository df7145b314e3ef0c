using System.Globalization;
using System.Text.RegularExpressions;

namespace Swarmctl.Coordination;

/// <summary>One session, as far as a server tells.</summary>
internal sealed class ListedSession(long id)
{
    public long Id => id;

    public int? TimeoutMs { get; set; }

    /// <summary>The address of who is connected to the server asked.</summary>
    public string? Client { get; set; }

    public List<string> Ephemerals { get; } = [];
}

/// <summary>Reads the answers to <c>dump</c> and <c>cons</c>, of Skep and of ZooKeeper, whose leaders and followers each have a form of their own.</summary>
internal static partial class SessionList
{
    public static List<ListedSession> Read(string dump, string connections)
    {
        var sessions = new SortedDictionary<ulong, ListedSession>();
        bool owners = false;
        ListedSession? owner = null;
        foreach (string line in dump.Split('\n'))
        {
            if (line.StartsWith("Connections dump", StringComparison.Ordinal))
            {
                break;
            }
            owners |= line.StartsWith("ephemeral nodes dump", StringComparison.Ordinal);
            Match match = Session().Match(line);
            if (match.Success)
            {
                owner = Of(sessions, match.Groups[1].Value);
                owner.TimeoutMs = Number(match.Groups[2]) ?? owner.TimeoutMs;
            }
            else if (owners && owner is not null && line.StartsWith("\t/", StringComparison.Ordinal))
            {
                owner.Ephemerals.Add(line[1..]);
            }
        }
        foreach (Match match in Connection().Matches(connections))
        {
            ListedSession session = Of(sessions, match.Groups[2].Value);
            session.Client = match.Groups[1].Value;
            session.TimeoutMs = Number(match.Groups[3]) ?? session.TimeoutMs;
        }
        return [.. sessions.Values];
    }

    private static ListedSession Of(SortedDictionary<ulong, ListedSession> sessions, string hex)
    {
        ulong id = ulong.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (!sessions.TryGetValue(id, out ListedSession? session))
        {
            sessions[id] = session = new ListedSession((long)id);
        }
        return session;
    }

    private static int? Number(Group group) => group.Success && int.TryParse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : null;

    [GeneratedRegex(@"^\s*0x([0-9a-f]{1,16})(?:\s+(\d+)ms)?:?\s*$")]
    private static partial Regex Session();

    [GeneratedRegex(@"^ /?(\S+?)\[\d+\]\(.*?sid=0x([0-9a-f]{1,16})(?:.*?\bto=(\d+))?", RegexOptions.Multiline)]
    private static partial Regex Connection();
}

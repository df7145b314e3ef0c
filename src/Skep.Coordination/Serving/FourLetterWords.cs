using System.Buffers;
using System.Globalization;
using System.Text;

namespace Skep.Coordination.Serving;

/// <summary>The four letters that ask a member how it is, answered as text in ZooKeeper's form, since people's monitoring reads it.</summary>
/// <param name="allowed">Those that are answered.</param>
/// <param name="settings">What <c>conf</c> tells: one name=value a line.</param>
internal sealed class FourLetterWords(IReadOnlySet<string> allowed, Func<string> settings)
{
    /// <summary>All that there are.</summary>
    public static readonly IReadOnlySet<string> All = new HashSet<string>
    {
        "conf", "cons", "crst", "dump", "envi", "isro", "mntr", "ruok", "srst", "srvr", "stat", "wchc", "wchp", "wchs",
    };

    private const string Version = "3.8.0-skep";

    /// <summary>Are the first four bytes such a word? As a length they would be far too great.</summary>
    public static bool TryRead(ReadOnlySequence<byte> bytes, out string word)
    {
        Span<byte> four = stackalloc byte[4];
        bytes.Slice(0, 4).CopyTo(four);
        bool isWord = !four.ContainsAnyExceptInRange((byte)'a', (byte)'z');
        word = isWord ? Encoding.ASCII.GetString(four) : "";
        return isWord;
    }

    public byte[] Answer(string word, MemberView view) => Encoding.UTF8.GetBytes(
        !All.Contains(word) || !allowed.Contains(word) ? $"{word} is not executed because it is not in the whitelist.\n" : Text(word, view));

    private string Text(string word, MemberView v)
    {
        var text = new StringBuilder();
        switch (word)
        {
            case "ruok":
                return "imok";
            case "isro":
                return v.IsCutOff ? "ro" : "rw";
            case "conf":
                return settings();
            case "envi":
                return $"Environment:\nzookeeper.version={Version}\nhost.name={Environment.MachineName}\ndotnet.version={Environment.Version}\nos.name={Environment.OSVersion.Platform}\nos.version={Environment.OSVersion.Version}\n";
            case "srvr" or "stat":
                return Server(v, word == "stat");
            case "mntr":
                foreach ((string name, object value) in Figures(v))
                {
                    text.Append(CultureInfo.InvariantCulture, $"zk_{name}\t{value}\n");
                }
                return text.ToString();
            case "cons":
                foreach (Connection c in v.Connections)
                {
                    text.Append(Line(c)).Append('\n');
                }
                return text.Append('\n').ToString();
            case "dump":
                text.Append("SessionTracker dump:\n");
                foreach ((long id, Tree.Session session) in v.Tree.Sessions)
                {
                    text.Append(CultureInfo.InvariantCulture, $"0x{id:x}\t{session.TimeoutMs}ms\n");
                }
                text.Append(CultureInfo.InvariantCulture, $"ephemeral nodes dump:\nSessions with Ephemerals ({v.Tree.Sessions.Count(static s => s.Value.Ephemerals.Count > 0)}):\n");
                foreach ((long id, Tree.Session session) in v.Tree.Sessions.Where(static s => s.Value.Ephemerals.Count > 0))
                {
                    text.Append(CultureInfo.InvariantCulture, $"0x{id:x}:\n");
                    foreach (string path in v.Tree.Ephemerals(id, "/"))
                    {
                        text.Append('\t').Append(path).Append('\n');
                    }
                }
                return text.ToString();
            case "wchs":
                return $"{v.Watches.Sessions} connections watching {v.Watches.Paths} paths\nTotal watches:{v.Watches.Count}\n";
            case "wchc":
                foreach ((long id, IEnumerable<string> paths) in v.Watches.BySession())
                {
                    text.Append(CultureInfo.InvariantCulture, $"0x{id:x}\n").Append(string.Concat(paths.Select(static p => $"\t{p}\n")));
                }
                return text.Append('\n').ToString();
            case "wchp":
                foreach ((string path, IEnumerable<long> sessions) in v.Watches.ByPath())
                {
                    text.Append(path).Append('\n').Append(string.Concat(sessions.Select(static s => $"\t0x{s:x}\n")));
                }
                return text.Append('\n').ToString();
            case "srst":
                v.Figures.Reset();
                return "Server stats reset.\n";
            default:
                foreach (Connection c in v.Connections)
                {
                    (c.Figures.Received, c.Figures.Sent) = (0, 0);
                }
                return "Connection stats reset.\n";
        }
    }

    private static string Following(MemberView v) => v.IsCutOff ? "read-only" : v.Standing.Observes ? "observer" : "follower";

    /// <summary>The figures that ZooKeeper has by these names.</summary>
    public static IEnumerable<(string Name, object Value)> Figures(MemberView v)
    {
        yield return ("version", Version);
        yield return ("server_state", v.Standing.Leads ? "leader" : Following(v));
        yield return ("quorum_size", v.Standing.Members);
        yield return ("avg_latency", v.Figures.AverageLatencyMs.ToString("0.####", CultureInfo.InvariantCulture));
        yield return ("max_latency", v.Figures.MostLatencyMs);
        yield return ("min_latency", v.Figures.LeastLatencyMs);
        yield return ("packets_received", v.Figures.Received);
        yield return ("packets_sent", v.Figures.Sent);
        yield return ("num_alive_connections", v.Connections.Count);
        yield return ("outstanding_requests", v.Figures.Outstanding);
        yield return ("znode_count", v.Tree.Count);
        yield return ("watch_count", v.Watches.Count);
        yield return ("ephemerals_count", v.Tree.Sessions.Sum(static s => s.Value.Ephemerals.Count));
        yield return ("approximate_data_size", v.Tree.SizeBytes);
        yield return ("global_sessions", v.Tree.Sessions.Count);
        yield return ("connection_drop_count", v.Figures.ConnectionsRefused);
        yield return ("stale_sessions_expired", v.Figures.ExpiredSessions);
    }

    private static string Server(MemberView v, bool withClients)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Zookeeper version: {Version}\n");
        if (withClients)
        {
            text.Append("Clients:\n");
            foreach (Connection c in v.Connections)
            {
                text.Append(CultureInfo.InvariantCulture, $" /{c.Peer.Endpoint}[1](queued={c.Pending.Count},recved={c.Figures.Received},sent={c.Figures.Sent})\n");
            }
            text.Append('\n');
        }
        text.Append(CultureInfo.InvariantCulture, $"Latency min/avg/max: {v.Figures.LeastLatencyMs}/{v.Figures.AverageLatencyMs:0.####}/{v.Figures.MostLatencyMs}\n");
        text.Append(CultureInfo.InvariantCulture, $"Received: {v.Figures.Received}\nSent: {v.Figures.Sent}\nConnections: {v.Connections.Count}\nOutstanding: {v.Figures.Outstanding}\n");
        text.Append(CultureInfo.InvariantCulture, $"Zxid: 0x{v.Tree.LastZxid:x}\nMode: {(v.Standing.Leads ? v.Standing.Members > 1 ? "leader" : "standalone" : Following(v))}\nNode count: {v.Tree.Count}\n");
        return text.ToString();
    }

    private static string Line(Connection c) => string.Create(
        CultureInfo.InvariantCulture, $" /{c.Peer.Endpoint}[1](queued={c.Pending.Count},recved={c.Figures.Received},sent={c.Figures.Sent},sid=0x{c.SessionId:x},to={c.TimeoutMs})");
}

using System.CommandLine;
using Skep.Coordination.Client;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Coordination;

/// <summary><c>coordination watch</c>.</summary>
internal static class WatchCommand
{
    private static readonly Argument<string[]> Words = Verb.Words("PATH");
    private static readonly Option<bool> Recursive = new("--recursive", "-R") { Description = "Watch all that is below too" };
    private static readonly Option<ulong> Count = CommonFlags.Count("--count", "End after so many events");

    public static Command Make() => CoordinationRun.Command("watch", "Write a line for each change of a node, until interrupted; the node need not exist", RunAsync, Words, Count, Recursive);

    private static async Task RunAsync(CoordinationRun run, CancellationToken ct)
    {
        string path = CoordinationRun.Path(run.Words(Words, 1, 1, "PATH")[0]);
        ulong most = run.Flags.GetValue(Count);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        await using WatchStream events = await client.OpenWatchAsync(path, run.Flags.GetValue(Recursive) ? WatchMode.PersistentRecursive : WatchMode.Persistent, ct: ct);
        if (run.Around.ErrorIsTerminal())
        {
            run.Around.Error.WriteLine($"Watching {path}; Ctrl-C ends it.");
        }
        ulong seen = 0;
        await foreach (WatchedEvent e in events.WithCancellation(ct))
        {
            Write(run, e);
            await run.Output.FlushAsync(ct);
            if (++seen == most)
            {
                return;
            }
        }
    }

    private static void Write(CoordinationRun run, WatchedEvent e)
    {
        string what = e.Type switch
        {
            WatchedEventType.Created => "created",
            WatchedEventType.Deleted => "deleted",
            WatchedEventType.DataChanged => "data-changed",
            WatchedEventType.ChildrenChanged => "children-changed",
            _ => "reconnected",
        };
        DateTimeOffset now = run.Around.Time.GetUtcNow();
        if (!run.Json)
        {
            string hint = e.Type == WatchedEventType.Reconnected ? "  (changes meanwhile were not told)" : "";
            run.Output.WriteLine($"{StatText.Time(now.ToUnixTimeMilliseconds())}  {what}  {e.Path}{hint}");
            return;
        }
        run.WriteJsonObject(w =>
        {
            w.WriteString("time", StatText.Time(now.ToUnixTimeMilliseconds()));
            w.WriteString("event", what);
            w.WriteString("path", e.Path);
            if (e.Zxid >= 0)
            {
                w.WriteNumber("zxid", e.Zxid);
            }
        });
    }
}

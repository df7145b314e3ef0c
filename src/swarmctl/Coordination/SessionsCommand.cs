using System.CommandLine;
using System.Text.Json;
using Skep.Coordination.Client;
using Swarmctl.Output;

namespace Swarmctl.Coordination;

/// <summary><c>coordination sessions</c>: who holds a session, from the words <c>dump</c> and <c>cons</c>.</summary>
internal static class SessionsCommand
{
    public static Command Make() => CoordinationRun.Command("sessions", "List sessions with their ephemeral nodes (needs swarmd's --coordination-words dump, better dump,cons)", RunAsync);

    private static async Task RunAsync(CoordinationRun run, CancellationToken ct)
    {
        CoordinationClientOptions options = ServerFlags.Read(run.Flags);
        string? dump = await FourLetterWord.AskAsync(options, "dump", ct);
        string? connections = await FourLetterWord.AskAsync(options, "cons", ct);
        if (dump is null && connections is null)
        {
            throw new UserException(
                "the server answers neither `dump` nor `cons`: allow them by swarmd --coordination-words srvr,ruok,isro,mntr,dump,cons (of ZooKeeper: 4lw.commands.whitelist)");
        }
        List<ListedSession> sessions = SessionList.Read(dump ?? "", connections ?? "");
        if (run.Json)
        {
            run.WriteJson(w =>
            {
                w.WriteStartArray();
                sessions.ForEach(s => Write(w, s));
                w.WriteEndArray();
            });
            return;
        }
        TabText table = TabText.ForList().Header("Session", "Timeout", "Client", "Ephemeral nodes");
        foreach (ListedSession s in sessions)
        {
            string shown = s.Ephemerals.Count switch { 0 => "", 1 => s.Ephemerals[0], int n => $"{s.Ephemerals[0]} and {n - 1} more" };
            table.Line($"0x{s.Id:x}\t{(s.TimeoutMs is int ms ? $"{ms} ms" : "")}\t{s.Client}\t{shown}");
        }
        run.Output.Write(table);
    }

    private static void Write(Utf8JsonWriter writer, ListedSession session)
    {
        writer.WriteStartObject();
        writer.WriteString("session", $"0x{session.Id:x}");
        if (session.TimeoutMs is int ms)
        {
            writer.WriteNumber("timeout_ms", ms);
        }
        if (session.Client is not null)
        {
            writer.WriteString("client", session.Client);
        }
        writer.WriteStartArray("ephemerals");
        session.Ephemerals.ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

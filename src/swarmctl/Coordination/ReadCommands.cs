using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.Coordination;

/// <summary><c>coordination ls|get|stat</c>.</summary>
internal static class ReadCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("PATH");
    private static readonly Option<bool> Recursive = new("--recursive", "-R") { Description = "Show all that is below too" };
    private static readonly Option<bool> WithStat = new("--stat") { Description = "Show what is known of the node too" };

    public static Command List() => CoordinationRun.Command("ls", "List a node's children", ListAsync, Words, Recursive, WithStat);

    public static Command Get() => CoordinationRun.Command("get", "Write a node's data to standard output, as it is", GetAsync, Words, WithStat);

    public static Command Stat() => CoordinationRun.Command("stat", "Show what is known of a node, and its ACL", StatAsync, Words);

    private static async Task ListAsync(CoordinationRun run, CancellationToken ct)
    {
        string path = run.Words(Words, 0, 1, "[PATH]") is [var given] ? CoordinationRun.Path(given) : "/";
        bool all = run.Flags.GetValue(Recursive), stat = run.Flags.GetValue(WithStat);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        var found = new List<(string Path, string Name, Stat? Stat)>();
        if (all)
        {
            await foreach (Walk.Found<Stat> node in Walk.AllAsync(client, path, ct))
            {
                found.Add((node.Path, node.Path, node.Value));
            }
        }
        else
        {
            // Asked for all at once; who goes meanwhile is shown without it.
            IReadOnlyList<string> children = (await client.GetChildrenAsync(path, ct)).Children;
            Stat?[] stats = stat ? await Task.WhenAll(children.Select(c => client.ExistsAsync(CoordinationRun.Child(path, c), ct))) : new Stat?[children.Count];
            found.AddRange(children.Select((c, i) => (CoordinationRun.Child(path, c), c, stats[i])));
        }
        found.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        Write(run, found, stat);
    }

    private static void Write(CoordinationRun run, List<(string Path, string Name, Stat? Stat)> found, bool withStat)
    {
        if (run.Json)
        {
            run.WriteJson(w =>
            {
                w.WriteStartArray();
                foreach ((string path, _, Stat? stat) in found)
                {
                    w.WriteStartObject();
                    w.WriteString("path", path);
                    if (withStat && stat is { } known)
                    {
                        StatText.Write(w, known);
                    }
                    w.WriteEndObject();
                }
                w.WriteEndArray();
            });
            return;
        }
        if (!withStat)
        {
            found.ForEach(f => run.Output.WriteLine(f.Name));
            return;
        }
        TabText table = TabText.ForList().Header(run.Flags.GetValue(Recursive) ? "Path" : "Name", "Version", "Bytes", "Children", "Changed", "Ephemeral of");
        foreach ((_, string name, Stat? stat) in found)
        {
            table.Line(stat is { } s ? $"{name}\t{s.Version}\t{s.DataLength}\t{s.NumChildren}\t{StatText.Time(s.Mtime)}\t{StatText.Session(s)}" : $"{name}\t\t\t\tgone meanwhile\t");
        }
        run.Output.Write(table);
    }

    private static async Task GetAsync(CoordinationRun run, CancellationToken ct)
    {
        string path = CoordinationRun.Path(run.Words(Words, 1, 1, "PATH")[0]);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        NodeData node = await client.GetDataAsync(path, ct);
        bool withStat = run.Flags.GetValue(WithStat);
        if (run.Json)
        {
            run.WriteJsonObject(w =>
            {
                w.WriteString("path", path);
                WriteData(w, node);
                if (withStat)
                {
                    StatText.Write(w, node.Stat);
                }
            });
            return;
        }
        await run.Output.FlushAsync(ct);
        await using (Stream output = run.Around.KeyOutput())
        {
            await output.WriteAsync(node.Data, ct);
        }
        if (withStat)
        {
            run.Output.WriteLine();
            run.Output.Write(StatText.Lines(path, node.Stat, null));
        }
    }

    // Text as text, anything else as base64: JSON has no bytes.
    private static void WriteData(Utf8JsonWriter writer, NodeData node)
    {
        if (node.IsNull)
        {
            writer.WriteNull("data");
        }
        else if (Utf8.IsValid(node.Data.Span))
        {
            writer.WriteString("data", Encoding.UTF8.GetString(node.Data.Span));
        }
        else
        {
            writer.WriteBase64String("data_base64", node.Data.Span);
        }
    }

    private static async Task StatAsync(CoordinationRun run, CancellationToken ct)
    {
        string path = CoordinationRun.Path(run.Words(Words, 1, 1, "PATH")[0]);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        Stat stat = await client.ExistsAsync(path, ct) ?? throw new UserException($"{path}: the node does not exist");
        IReadOnlyList<Acl>? acl = null;
        try
        {
            acl = (await client.GetAclAsync(path, ct)).Acl;
        }
        catch (CoordinationException e) when (e.ErrorCode is ErrorCode.NoAuth or ErrorCode.NoNode)
        {
            // Not shown to everyone.
        }
        if (!run.Json)
        {
            run.Output.Write(StatText.Lines(path, stat, acl));
            return;
        }
        run.WriteJsonObject(w =>
        {
            w.WriteString("path", path);
            StatText.Write(w, stat);
            w.WriteStartArray("acl");
            foreach (Acl entry in acl ?? [])
            {
                w.WriteStringValue(AclText.Of(entry));
            }
            w.WriteEndArray();
        });
    }
}

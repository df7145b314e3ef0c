using System.CommandLine;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Coordination;

/// <summary><c>coordination set|create|rm</c>.</summary>
internal static class WriteCommands
{
    // Deletions under way; the server does them in the order they were sent.
    private const int DeletionsUnderWay = 512;

    // Others may add to a tree while it is removed; who adds for ever is not waited for.
    private const int MostPasses = 5;

    private static readonly Argument<string[]> Path = Verb.Words("PATH");
    private static readonly Argument<string[]> PathAndData = Verb.Words("PATH DATA");
    private static readonly Option<long> Version = Versioned("Only if the node has this version");
    private static readonly Option<bool> Sequential = new("--sequential") { Description = "Add the parent's next number to the name" };
    private static readonly Option<bool> Container = new("--container") { Description = "Let the node go some time after its last child" };
    private static readonly Option<string> Ttl = CommonFlags.Text("--ttl", "Let the node go when it has no children and was not changed for so long (e.g. 10m)", "duration");
    private static readonly Option<string[]> AclFlag = CommonFlags.List("--acl", "who may do what, scheme:identity:cdrwa (default world:anyone:cdrwa)");
    private static readonly Option<bool> Parents = new("--parents", "-p") { Description = "Make what is missing above, too" };
    private static readonly Option<bool> Ephemeral = new("--ephemeral", "-e") { Hidden = true };
    private static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "Remove all that is below, too" };

    public static Command Set() => CoordinationRun.Command("set", "Set a node's data (\"-\" reads it from standard input) and show its new version", SetAsync, PathAndData, Version);

    public static Command Create() => CoordinationRun.Command(
        "create", "Make a node (\"-\" reads its data from standard input) and show its path", CreateAsync, PathAndData, AclFlag, Container, Ephemeral, Parents, Sequential, Ttl);

    public static Command Remove() => CoordinationRun.Command("rm", "Remove a node", RemoveAsync, Path, Recursive, Version);

    private static Option<long> Versioned(string description)
    {
        Option<long> option = CommonFlags.Integer("--version", description);
        option.DefaultValueFactory = static _ => -1;
        return option;
    }

    private static async Task SetAsync(CoordinationRun run, CancellationToken ct)
    {
        string[] words = run.Words(PathAndData, 2, 2, "PATH DATA (or - for standard input)");
        string path = CoordinationRun.Path(words[0]);
        byte[] data = await DataAsync(run, words[1], ct);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        Stat stat = await client.SetDataAsync(path, data, Expected(run), ct);
        if (run.Json)
        {
            run.WriteJsonObject(w =>
            {
                w.WriteString("path", path);
                StatText.Write(w, stat);
            });
            return;
        }
        run.Output.WriteLine(stat.Version);
    }

    private static async Task CreateAsync(CoordinationRun run, CancellationToken ct)
    {
        if (run.Flags.GetValue(Ephemeral))
        {
            throw new UserException("an ephemeral node goes with its session, and swarmctl's session ends with the command: the node would be gone at once. Make it from a client that stays");
        }
        string[] words = run.Words(PathAndData, 1, 2, "PATH [DATA] (or - for standard input)");
        string path = CoordinationRun.Path(words[0]);
        bool sequential = run.Flags.GetValue(Sequential), container = run.Flags.GetValue(Container);
        TimeSpan? ttl = ReadTtl(run);
        if (container && (sequential || ttl is not null))
        {
            throw new UserException("--container excludes --sequential and --ttl");
        }
        CreateMode mode = (container, sequential, ttl) switch
        {
            (true, _, _) => CreateMode.Container,
            (_, true, null) => CreateMode.PersistentSequential,
            (_, true, _) => CreateMode.PersistentSequentialWithTtl,
            (_, _, null) => CreateMode.Persistent,
            _ => CreateMode.PersistentWithTtl,
        };
        Acl[] acl = [.. (run.Flags.GetValue(AclFlag) ?? []).SelectMany(given => CsvLine.Split(given, AclFlag.Name)).Select(AclText.Parse)];
        byte[] data = words.Length == 2 ? await DataAsync(run, words[1], ct) : [];
        await using CoordinationClient client = await run.ConnectAsync(ct);
        if (run.Flags.GetValue(Parents))
        {
            await MakeParentsAsync(client, path, ct);
        }
        CreatedNode made = await client.CreateAsync(path, data, mode, acl.Length > 0 ? acl : null, ttl, ct);
        if (run.Json)
        {
            run.WriteJsonObject(w =>
            {
                w.WriteString("path", made.Path);
                StatText.Write(w, made.Stat);
            });
            return;
        }
        run.Output.WriteLine(made.Path);
    }

    /// <summary>Makes what is missing above a path.</summary>
    public static async Task MakeParentsAsync(CoordinationClient client, string path, CancellationToken ct)
    {
        for (int slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            try
            {
                await client.CreateAsync(path[..slash], ct: ct);
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NodeExists)
            {
                // As wanted.
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoAuth)
            {
                // Who may not create here may find it there all the same; if not, the next says so.
                if (await client.ExistsAsync(path[..slash], ct) is null)
                {
                    throw;
                }
            }
        }
    }

    private static async Task RemoveAsync(CoordinationRun run, CancellationToken ct)
    {
        string path = CoordinationRun.Path(run.Words(Path, 1, 1, "PATH")[0]);
        bool all = run.Flags.GetValue(Recursive);
        if (all && Expected(run) != -1)
        {
            throw new UserException("--version goes with one node, not with --recursive");
        }
        if (all && ServersOwn.Holds(path))
        {
            throw new UserException($"{path} is the servers' own and is not removed with all that is below; name its nodes one by one");
        }
        await using CoordinationClient client = await run.ConnectAsync(ct);
        if (!all)
        {
            await client.DeleteAsync(path, Expected(run), ct);
            return;
        }
        for (int pass = 1; ; pass++)
        {
            try
            {
                await RemoveAllAsync(client, path, ct);
                return;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NotEmpty && pass < MostPasses)
            {
                // Somebody adds nodes: those go with the next pass.
            }
        }
    }

    private static async Task RemoveAllAsync(CoordinationClient client, string path, CancellationToken ct)
    {
        var found = new List<string>();
        await foreach (Walk.Found<Stat> node in Walk.AllAsync(client, path, ct))
        {
            found.Add(node.Path);
        }

        // The deepest first.
        found.RemoveAll(static p => p == "/" || ServersOwn.Holds(p));
        var window = new Window(DeletionsUnderWay);
        for (int i = found.Count - 1; i >= 0; i--)
        {
            await window.AddAsync(DeleteAsync(client, found[i], ct));
        }
        await window.EndAsync();
    }

    private static async Task DeleteAsync(CoordinationClient client, string path, CancellationToken ct)
    {
        try
        {
            await client.DeleteAsync(path, ct: ct);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            // Somebody else was faster.
        }
    }

    private static int Expected(CoordinationRun run) => run.Flags.GetValue(Version) is >= -1 and <= int.MaxValue and long version
        ? (int)version
        : throw new UserException("--version is a node's version, 0 or more");

    private static TimeSpan? ReadTtl(CoordinationRun run)
    {
        if (run.Flags.GetValue(Ttl) is not { } text)
        {
            return null;
        }
        return GoDuration.TryParse(text, out Duration? value) && value.ToTimeSpan() is { TotalMilliseconds: >= 1 } ttl
            ? ttl
            : throw new UserException($"invalid argument \"{text}\" for --ttl: expected a duration of at least 1ms, such as 10s, 1m30s or 2h");
    }

    private static async Task<byte[]> DataAsync(CoordinationRun run, string word, CancellationToken ct)
    {
        if (word != "-")
        {
            return Encoding.UTF8.GetBytes(word);
        }
        return await run.Around.ReadInputAsync(async from =>
        {
            using var all = new MemoryStream();
            byte[] buffer = new byte[64 * 1024];
            for (int read = await from.ReadAsync(buffer, ct); read > 0; read = await from.ReadAsync(buffer, ct))
            {
                if (all.Length + read > JuteFrame.DefaultMaxBytes)
                {
                    throw new UserException("standard input holds more than 1 MiB, which is more than a node can have");
                }
                all.Write(buffer, 0, read);
            }
            return all.ToArray();
        });
    }
}

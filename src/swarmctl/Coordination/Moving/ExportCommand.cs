using System.CommandLine;
using Skep.Coordination.Client;
using Swarmctl.Connection;
using Swarmctl.Coordination.ZooKeeperFiles;
using Swarmctl.Flags;

namespace Swarmctl.Coordination.Moving;

/// <summary><c>coordination export</c>: the tree as a snapshot in ZooKeeper's format.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string[]> Words = Verb.Words("FILE|DIR PATH");
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Replace the file where there is one" };

    public static Command Make() => CoordinationRun.Command(
        "export",
        "Save the tree as a snapshot that ZooKeeper starts from: a walk, not one instant, in which each node is as it once was. Without sessions and ephemeral nodes; containers and nodes with a time to live, which the protocol does not tell, become persistent",
        RunAsync, Words, Force);

    private static async Task RunAsync(CoordinationRun run, CancellationToken ct)
    {
        string[] words = run.Words(Words, 1, 2, "FILE|DIR [PATH]");
        string from = words.Length == 2 ? CoordinationRun.Path(words[1]) : "/";
        string? folder = Folder(words[0]);
        bool force = run.Flags.GetValue(Force);
        CheckFree(words[0], folder, force);
        await using CoordinationClient client = await run.ConnectAsync(ct);
        using var progress = new NodeProgress(run.Around, "read", null);
        var export = new TreeExport(client, progress.Show);
        await export.RunAsync(from, ct);
        progress.Dispose();
        string file = folder is null ? words[0] : Path.Combine(folder, $"snapshot.{export.Tree.LastZxid:x}");
        Save(file, export.Tree, force);
        Report(run, file, export);
    }

    // ZooKeeper keeps its files in this folder of its dataDir.
    private static string? Folder(string given) => !Directory.Exists(given) && !given.EndsWith('/') ? null
        : Path.GetFileName(Path.TrimEndingDirectorySeparator(given)) == "version-2" ? given : Path.Combine(given, "version-2");

    private static void CheckFree(string given, string? folder, bool force)
    {
        if (folder is null && File.Exists(given) && !force)
        {
            throw new UserException($"{given} exists already; --force replaces it");
        }

        // ZooKeeper would go on from the newest of them, with the logs of another history.
        if (folder is not null && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new UserException($"{folder} is not empty: ZooKeeper would mix what is there with the snapshot; name a new folder");
        }
    }

    // Whole or not at all: write-new, sync, rename.
    private static void Save(string path, StoredTree tree, bool force)
    {
        string part = $"{path}.{Environment.ProcessId}.part";
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            {
                Directory.CreateDirectory(folder);
            }
            using (var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                SnapshotWriter.Write(tree, file);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, force);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(part);
            throw new UserException($"{path} cannot be written: {e.Message}");
        }
    }

    private static void Report(CoordinationRun run, string file, TreeExport export)
    {
        const int kept = 3;
        int nodes = export.Tree.Nodes.Count - kept;
        if (export.TransactionsMeanwhile > 0)
        {
            run.Warn($"the tree was written to while it was walked ({export.TransactionsMeanwhile:N0} transactions, {export.Changed:N0} of the nodes saved are newer than the walk's begin): the snapshot is no single instant of it");
        }
        if (run.Json)
        {
            run.WriteJsonObject(w =>
            {
                w.WriteString("file", file);
                w.WriteString("zxid", $"0x{export.Tree.LastZxid:x}");
                w.WriteNumber("nodes", nodes);
                w.WriteNumber("data_bytes", export.DataBytes);
                w.WriteNumber("ephemerals_left_out", export.Ephemerals);
                w.WriteNumber("transactions_meanwhile", export.TransactionsMeanwhile);
                w.WriteNumber("changed_meanwhile", export.Changed);
            });
            return;
        }
        run.Output.WriteLine($"Saved {nodes:N0} nodes with {export.DataBytes:N0} bytes in {file}, as of zxid 0x{export.Tree.LastZxid:x}; left out {export.Ephemerals:N0} ephemeral nodes.");
        if (Path.GetFileName(file) != $"snapshot.{export.Tree.LastZxid:x}")
        {
            run.Output.WriteLine($"ZooKeeper starts from it under the name snapshot.{export.Tree.LastZxid:x}, in the folder version-2 of its dataDir.");
        }
    }
}

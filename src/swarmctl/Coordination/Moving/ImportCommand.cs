using System.CommandLine;
using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Connection;
using Swarmctl.Coordination.ZooKeeperFiles;
using Swarmctl.Flags;

namespace Swarmctl.Coordination.Moving;

/// <summary><c>coordination import</c>: a tree from ZooKeeper's files.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string[]> Words = Verb.Words("DIR|FILE");
    private static readonly Option<string> Into = CommonFlags.Text("--into", "Node that the tree's root becomes; made where missing (default \"/\")");
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Read the files, look for nodes that exist, and change nothing" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Set data and ACL of nodes that exist already" };

    public static Command Make() => CoordinationRun.Command(
        "import",
        "Make the nodes that ZooKeeper's files hold: the newest whole snapshot and the logs after it; without sessions, ephemeral nodes and /zookeeper",
        RunAsync, Words, DryRun, Into, Overwrite);

    private static async Task RunAsync(CoordinationRun run, CancellationToken ct)
    {
        string[] places = run.Words(Words, 1, int.MaxValue, "DIR|FILE... (dataDir, and dataLogDir where there is one)");
        string into = run.Flags.GetValue(Into) is { } given ? CoordinationRun.Path(given) : "/";
        ZooKeeperFolder folder = ZooKeeperFolder.Read(places, run.Warn);
        ImportPlan plan = ImportPlan.Of(folder.Tree, into);
        if (plan.IsSkepLeftOut)
        {
            run.Warn("/skep: what is below is left out, since Skep keeps this name for itself");
        }
        foreach (string path in plan.CountersLeft)
        {
            run.Warn($"{path}: its counter of sequential names is too far on to be kept: new names will sort before the old ones");
        }
        await using CoordinationClient client = await run.ConnectAsync(ct);
        using var progress = new NodeProgress(run.Around, "made", plan.Nodes.Count);
        var importer = new Importer(client, plan, progress.Show);
        Dictionary<string, Stat> existing = await importer.FindExistingAsync(ct);

        // The node that the tree is put into may be there, as the root always is.
        List<string> conflicts = [.. existing.Keys.Where(p => p != into).Order(StringComparer.Ordinal)];
        bool dryRun = run.Flags.GetValue(DryRun), overwrite = run.Flags.GetValue(Overwrite);
        if (!overwrite && existing.ContainsKey(into) && plan.Nodes[0].Node is var root && (root.Data?.Length > 0 || !root.Acl.SequenceEqual(SnapshotReader.OpenAcl)))
        {
            run.Warn($"{into} exists and keeps its data and ACL, which the root of the files has other; --overwrite sets them");
        }
        if (conflicts.Count > 0 && !overwrite && !dryRun)
        {
            throw new UserException($"{Nodes(conflicts.Count)} there already, for instance {conflicts[0]}: nothing was changed. --overwrite sets their data and ACLs, --into puts the tree elsewhere");
        }
        if (!dryRun)
        {
            try
            {
                await WriteCommands.MakeParentsAsync(client, into, ct);
                await importer.RunAsync(existing, overwrite, ct);
            }
            catch (CoordinationException e)
            {
                string size = e.ErrorCode == ErrorCode.ConnectionLoss && plan.Nodes.Any(static n => n.Node.Data?.Length > JuteFrame.DefaultMaxBytes - 1024)
                    ? " Some node has data of about 1 MiB or more, which servers refuse by closing the connection." : "";
                throw new UserException($"{e.Message}. {importer.Done} of {plan.Nodes.Count} nodes were made; run again with --overwrite, or remove them first.{size}");
            }
        }
        progress.Dispose();
        Report(run, folder, plan, plan.Nodes.Count - existing.Count, overwrite ? existing.Count : conflicts.Count, dryRun);
    }

    private static void Report(CoordinationRun run, ZooKeeperFolder folder, ImportPlan plan, int made, int existed, bool dryRun)
    {
        if (run.Json)
        {
            run.WriteJsonObject(w =>
            {
                w.WriteString("snapshot", folder.Snapshot);
                w.WriteNumber("transactions", folder.Transactions);
                w.WriteString("zxid", $"0x{folder.Tree.LastZxid:x}");
                w.WriteString("into", plan.Into);
                w.WriteNumber("made", made);
                w.WriteNumber("existed", existed);
                w.WriteNumber("data_bytes", plan.DataBytes);
                w.WriteNumber("ephemerals_left_out", plan.Ephemerals);
                w.WriteNumber("sessions_left_out", plan.Sessions);
                w.WriteBoolean("dry_run", dryRun);
            });
            return;
        }
        run.Output.WriteLine($"Read {folder.Snapshot ?? "no snapshot"} and {folder.Transactions:N0} transactions after it, up to zxid 0x{folder.Tree.LastZxid:x}.");
        run.Output.WriteLine(
            $"{(dryRun ? "Would make" : "Made")} {made:N0} nodes{(existed > 0 ? $"{(dryRun ? ", found" : " and set")} {existed:N0} that were there" : "")} "
            + $"with {plan.DataBytes:N0} bytes below {plan.Into}; left out {plan.Ephemerals:N0} ephemeral nodes and {plan.Sessions:N0} sessions.");
    }

    private static string Nodes(int count) => count == 1 ? "1 node is" : $"{count:N0} nodes are";
}

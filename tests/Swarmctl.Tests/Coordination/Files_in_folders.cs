using Swarmctl.Coordination.Moving;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Tests.Coordination;

public sealed class Files_in_folders : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("swarmctl-zookeeper-").FullName;
    private readonly List<string> warnings = [];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_newest_whole_snapshot_is_taken_with_the_logs_after_it()
    {
        Snapshot("snapshot.5", 5);
        Snapshot("snapshot.3", 3);
        File.WriteAllBytes(At("snapshot.5"), File.ReadAllBytes(At("snapshot.5"))[..^7]);
        File.WriteAllBytes(At("log.1"), new LogWriter().Create(1, "/old", "", 1).Create(4, "/four", "", 1).Create(5, "/five", "", 2).ToArray(50));
        File.WriteAllBytes(At("log.6"), new LogWriter().Create(6, "/six", "", 3).Create(7, "/seven", "", 4).ToArray()[..^3]);
        ZooKeeperFolder read = ZooKeeperFolder.Read([folder], warnings.Add);

        Assert.EndsWith("snapshot.3", read.Snapshot, StringComparison.Ordinal);
        Assert.Equal(["/", "/five", "/four", "/six"], Paths(read));
        Assert.Equal((3, 6L), (read.Transactions, read.Tree.LastZxid));
        Assert.Collection(
            warnings,
            w => Assert.StartsWith($"{At("snapshot.5")}: at offset ", w, StringComparison.Ordinal),
            w => Assert.Matches($"^{At("log.6")}: at offset [0-9]+ a transaction is cut short", w));
    }

    [Fact]
    public void Transactions_that_are_in_no_file_are_missed()
    {
        Snapshot("snapshot.3", 3);
        File.WriteAllBytes(At("log.6"), new LogWriter().Create(6, "/six", "", 1).Create(0x1_0000_0001, "/next-leader", "", 2).ToArray());
        Assert.Equal(["/", "/next-leader", "/six"], Paths(ZooKeeperFolder.Read([folder], warnings.Add)));
        Assert.Contains("transactions 0x4 to 0x5 are in no file", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_log_stops_it_with_file_and_offset()
    {
        Snapshot("snapshot.0", 0);
        byte[] log = new LogWriter().Create(1, "/a", "", 1).ToArray();
        log[60] ^= 1;
        File.WriteAllBytes(At("log.1"), log);
        Assert.StartsWith($"{At("log.1")}: at offset 16: the checksum", Refused(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_never_made_a_snapshot_has_all_in_its_logs()
    {
        Assert.Contains("no snapshot", Refused(folder), StringComparison.Ordinal);
        File.WriteAllBytes(At("log.2"), new LogWriter().Create(2, "/b", "", 2).ToArray());
        Assert.Contains("no snapshot", Refused(folder), StringComparison.Ordinal);
        File.WriteAllBytes(At("log.1"), new LogWriter().Create(1, "/a", "", 1).ToArray());
        Assert.Equal(["/", "/a", "/b"], Paths(ZooKeeperFolder.Read([folder], warnings.Add)));
    }

    [Fact]
    public void A_snapshot_that_is_named_is_taken_alone_and_has_to_be_whole()
    {
        Snapshot("snapshot.3", 3);
        File.WriteAllBytes(At("log.4"), new LogWriter().Create(4, "/four", "", 1).ToArray());
        Assert.Equal(["/"], Paths(ZooKeeperFolder.Read([At("snapshot.3")], warnings.Add)));
        File.WriteAllText(At("snapshot.4"), "ZKSN");
        Assert.StartsWith($"{At("snapshot.4")}: at offset 4: ", Refused(At("snapshot.4")), StringComparison.Ordinal);
        Assert.Contains("expected snapshot.<zxid>", Refused(Named("other")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_leaves_out_what_sessions_hold_and_knows_what_takes_care()
    {
        StoredTree tree = StoredTree.Empty();
        StoredNode Node(int creations = 0, bool closed = false, long owner = 0) => new()
        {
            Acl = closed ? [new Skep.Jute.Acl(31, new Skep.Jute.AclId("digest", "ann:hash"))] : SnapshotReader.OpenAcl,
            Creations = creations,
            Owner = owner,
        };
        tree.Sessions[7] = 1000;
        tree.Add("/queue", Node(creations: 50, closed: true));
        tree.Add("/queue/e-0000000049", Node());
        tree.Add("/queue/gone", Node(owner: 7));
        tree.Add("/plain", Node(creations: 50, closed: true));
        tree.Add("/plain/child", Node());
        tree.Add("/leaf", Node(closed: true));
        tree.Add("/far", Node(creations: 2_000_000));
        tree.Add("/far/e-0001999999", Node());
        tree.Add("/skep", Node());
        tree.Add("/skeptic", Node());
        Assert.False(ImportPlan.Of(tree, "/into").IsSkepLeftOut);
        tree.Add("/skep/child", Node());
        ImportPlan plan = ImportPlan.Of(tree, "/into");

        Assert.Equal((1, 1), (plan.Ephemerals, plan.Sessions));
        Assert.True(plan.IsSkepLeftOut);
        Assert.Equal(["/far"], plan.CountersLeft);
        Assert.Equal(
            ["/into 5 0 False", "/into/far 1 0 False", "/into/far/e-0001999999 0 0 False", "/into/leaf 0 0 False", "/into/plain 1 0 True", "/into/plain/child 0 0 False", "/into/queue 1 50 True", "/into/queue/e-0000000049 0 0 False", "/into/skeptic 0 0 False"],
            plan.Nodes.Select(static n => $"{n.Path} {n.Children} {n.Counter} {n.NeedsKey}"));
    }

    private static IEnumerable<string> Paths(ZooKeeperFolder read) =>
        read.Tree.Nodes.Keys.Where(static p => !p.StartsWith("/zookeeper", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private string At(string name) => Path.Combine(folder, name);

    private string Named(string name)
    {
        File.WriteAllText(At(name), "");
        return At(name);
    }

    private string Refused(string place) => Assert.Throws<UserException>(() => ZooKeeperFolder.Read([place], warnings.Add)).Message;

    private void Snapshot(string name, long zxid)
    {
        StoredTree tree = StoredTree.Empty();
        tree.LastZxid = zxid;
        using FileStream file = File.Create(At(name));
        SnapshotWriter.Write(tree, file);
    }
}

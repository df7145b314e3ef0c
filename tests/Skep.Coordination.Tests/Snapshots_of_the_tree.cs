using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;
using Skep.Jute;
using static Skep.Coordination.Tests.Trees;

namespace Skep.Coordination.Tests;

public sealed class Snapshots_of_the_tree
{
    [Fact]
    public void A_snapshot_stays_as_it_was_while_the_tree_goes_on_and_loads_to_the_same_tree()
    {
        var t = new Trees();
        var random = new Random(7);
        Churn(t, random, 3_000);
        string then = Seen(t.Tree);
        TreeSnapshot snapshot = t.Tree.Capture();
        Churn(t, random, 3_000);
        Assert.NotEqual(then, Seen(t.Tree));
        ZnodeTree loaded = Load(Saved(snapshot));
        Assert.Equal(then, Seen(loaded));
        Assert.Equal(snapshot.Zxid, loaded.LastZxid);
        Assert.NotEmpty(loaded.Ephemerals(1, "/"));
        loaded.CloseSession(1, 1_000_000);
        Assert.DoesNotContain(loaded.Changes, c => c.Kind != ChangeKind.Deleted);
    }

    [Fact]
    public void A_snapshot_that_is_cut_or_damaged_is_refused()
    {
        var t = new Trees();
        Churn(t, new Random(8), 200);
        byte[] saved = Saved(t.Tree.Capture());
        var random = new Random(9);
        for (int i = 0; i < 200; i++)
        {
            Assert.Throws<SnapshotFormatException>(() => Load(saved[..random.Next(saved.Length)]));
            byte[] damaged = [.. saved];
            damaged[random.Next(saved.Length)] ^= (byte)random.Next(1, 256);
            Assert.Throws<SnapshotFormatException>(() => Load(damaged));
        }
    }

    private static void Churn(Trees t, Random random, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            string path = $"/{random.Next(40)}" + (random.Next(3) == 0 ? "" : $"/{random.Next(20)}");
            t.Do(random.Next(4) switch
            {
                0 or 1 => Create(path, random.Next(3), acl: random.Next(2) == 0 ? null : [new Acl(random.Next(1, 32), new AclId("world", "anyone"))]),
                2 => Delete(path),
                _ => Set(path, new string('d', random.Next(30))),
            });
        }
    }

    private static byte[] Saved(TreeSnapshot snapshot)
    {
        var stream = new MemoryStream();
        snapshot.WriteTo(stream);
        return stream.ToArray();
    }

    private static ZnodeTree Load(byte[] saved) => TreeSnapshot.Read(new MemoryStream(saved));
}

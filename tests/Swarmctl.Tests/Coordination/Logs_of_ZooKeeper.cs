using System.Buffers;
using System.Text;
using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Tests.Coordination;

public sealed class Logs_of_ZooKeeper
{
    private static readonly byte[] Sample = Three().ToArray(zeros: 100);

    [Fact]
    public void Transactions_make_the_tree_that_the_server_had()
    {
        StoredTree tree = Apply(new LogWriter()
            .Add(1, OpCode.CreateSession, static w => w.WriteInt(30_000))
            .Create(2, "/a", "one", 1)
            .Create(3, "/a/ephemeral", "", 1, ephemeral: true)
            .Add(4, OpCode.CreateTtl, static w =>
            {
                w.WriteString("/a/ttl");
                w.WriteBuffer(null);
                w.WriteRecords([new Acl(1, new AclId("ip", "10.0.0.1"))]);
                w.WriteInt(2);
                w.WriteLong(5000);
            })
            .Add(5, OpCode.SetData, static w =>
            {
                w.WriteString("/a");
                w.WriteBuffer("two"u8.ToArray());
                w.WriteInt(1);
            })
            .Add(6, OpCode.Error, static w => w.WriteInt(-101))
            .Create(7, "/b", "", 2)
            .Add(8, OpCode.Delete, static w => w.WriteString("/b"))
            .Add(9, OpCode.CloseSession, static _ => { }));

        Assert.Equal(["/", "/a", "/a/ttl"], tree.Nodes.Keys.Where(static p => !p.StartsWith("/zookeeper", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        StoredNode a = tree.Nodes["/a"], ttl = tree.Nodes["/a/ttl"];
        Assert.Equal(("two", 1, 2L, 5L, 9L, 2), (Encoding.UTF8.GetString(a.Data!.Value.Span), a.Version, a.Czxid, a.Mzxid, a.Pzxid, a.Creations));
        Assert.Equal((NodeKind.Ttl, 5000L, null), (ttl.Kind, ttl.TtlMs, ttl.Data));
        Assert.Equal("ip", Assert.Single(ttl.Acl).Id.Scheme);
        Assert.Equal((2, 8L, 9L), (tree.Nodes["/"].Creations, tree.Nodes["/"].Pzxid, tree.LastZxid));
        Assert.Empty(tree.Sessions);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void A_multi_is_done_as_a_whole_or_not_at_all(bool fails, bool made)
    {
        StoredTree tree = Apply(new LogWriter().Add(1, OpCode.Multi, w =>
        {
            w.WriteInt(2);
            w.WriteInt((int)OpCode.Create);
            w.WriteBuffer(Part(static p => LogWriter.WriteCreate(p, "/a", "", 1)));
            w.WriteInt((int)(fails ? OpCode.Error : OpCode.Check));
            w.WriteBuffer(Part(static p => p.WriteLong(0)));
        }));
        Assert.Equal(made, tree.Nodes.ContainsKey("/a"));
    }

    [Fact]
    public void What_the_snapshot_has_already_is_not_done_again()
    {
        StoredTree tree = Apply(new LogWriter().Create(1, "/a", "first", 1).Create(1, "/a", "second", 1).Add(2, OpCode.Delete, static w => w.WriteString("/missing")));
        Assert.Equal("first", Encoding.UTF8.GetString(tree.Nodes["/a"].Data!.Value.Span));
        Assert.Equal(1, tree.Nodes["/"].Creations);
    }

    [Fact]
    public void A_log_that_is_cut_short_gives_what_is_whole_before()
    {
        byte[] whole = Three().ToArray();
        long[] ends = [.. Enumerable.Range(0, 4).Select(static n => (long)Some(n).ToArray().Length)];
        for (int length = 0; length <= whole.Length; length++)
        {
            (List<long> read, long? torn) = Read(whole[..length]);
            int expected = ends.Count(e => e <= length) - 1;
            Assert.Equal(Math.Max(0, expected), read.Count);
            Assert.Equal(ends.Contains(length), torn is null);
        }
    }

    [Fact]
    public void Zeros_behind_the_last_transaction_are_its_end()
    {
        (List<long> read, long? torn) = Read(Sample);
        Assert.Equal([1, 2, 3], read);
        Assert.Null(torn);
    }

    [Fact]
    public void A_changed_byte_never_makes_another_history()
    {
        for (int i = 0; i < Sample.Length; i++)
        {
            byte[] changed = [.. Sample];
            changed[i] ^= 0x10;
            try
            {
                List<long> read = Read(changed).Read;
                Assert.Equal(Enumerable.Range(1, read.Count).Select(static n => (long)n), read);
            }
            catch (ZooKeeperFormatException e)
            {
                Assert.InRange(e.Offset, 0, i);
            }
        }
    }

    [Fact]
    public void A_whole_record_with_another_sum_is_damage_and_said_where()
    {
        byte[] log = Three().ToArray();
        int second = Some(1).ToArray().Length;
        log[second + 40] ^= 1;
        Assert.Equal(second, Assert.Throws<ZooKeeperFormatException>(() => Read(log)).Offset);
    }

    private static LogWriter Three() => Some(3);

    private static LogWriter Some(int count)
    {
        var log = new LogWriter();
        for (int i = 1; i <= count; i++)
        {
            log.Create(i, $"/node{i}", new string('x', i), i, ephemeral: i == 2);
        }
        return log;
    }

    private static (List<long> Read, long? Torn) Read(byte[] bytes)
    {
        var reader = new LogReader(new MemoryStream(bytes));
        var zxids = new List<long>();
        while (reader.Read() is { } transaction)
        {
            zxids.Add(transaction.Zxid);
        }
        return (zxids, reader.TornAt);
    }

    private static StoredTree Apply(LogWriter log)
    {
        StoredTree tree = StoredTree.Empty();
        var reader = new LogReader(new MemoryStream(log.ToArray(64)));
        while (reader.Read() is { } transaction)
        {
            tree.Apply(transaction);
        }
        Assert.Null(reader.TornAt);
        return tree;
    }

    private static byte[] Part(LogWriter.Body body)
    {
        var bytes = new ArrayBufferWriter<byte>();
        body(new JuteWriter(bytes));
        return bytes.WrittenSpan.ToArray();
    }
}

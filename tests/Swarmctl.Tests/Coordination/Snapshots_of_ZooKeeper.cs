using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CsCheck;
using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Tests.Coordination;

public sealed class Snapshots_of_ZooKeeper
{
    private static readonly Gen<Acl> AnAcl = Gen.Select(Gen.Int[0, 31], OneOf("world", "digest", "x509"), OneOf("anyone", "ann:hash", "CN=ä,O=b"), static (perms, scheme, name) => new Acl(perms, new AclId(scheme, name)));

    private static readonly Gen<StoredNode> ANode = Gen.Select(
        Gen.Byte.Array[0, 40].Null(), AnAcl.Array[1, 3], Gen.Long.Array[5], Gen.Int.Array[3], OneOf(0L, StoredNode.ContainerOwner, StoredNode.TtlOwner(9), 77L),
        static (data, acl, longs, ints, owner) => new StoredNode
        {
            Data = data is null ? default(ReadOnlyMemory<byte>?) : data,
            Acl = acl,
            Czxid = longs[0],
            Mzxid = longs[1],
            Pzxid = longs[2],
            CtimeMs = longs[3],
            MtimeMs = longs[4],
            Version = ints[0],
            Creations = ints[1],
            Aversion = ints[2],
            Owner = owner,
        });

    private static readonly Gen<StoredTree> ATree = Gen.Select(ANode.Array[1, 30], Gen.Int[0, 1000].Array[30], static (nodes, places) =>
    {
        StoredTree tree = StoredTree.Empty();
        var paths = new List<string> { "/" };
        for (int i = 0; i < nodes.Length; i++)
        {
            string parent = paths[places[i] % paths.Count];
            string path = parent == "/" ? $"/n{i}-é" : $"{parent}/n{i}";
            tree.Add(path, nodes[i]);
            paths.Add(path);
        }
        return tree;
    });

    [Fact]
    public void What_is_written_is_read_again() => ATree.Sample(static tree =>
    {
        StoredTree read = SnapshotReader.Read(new MemoryStream(Write(tree)), 5);
        Assert.Equal(Describe(tree), Describe(read));
        Assert.Equal(5, read.LastZxid);
    }, iter: 300);

    [Fact]
    public void Every_changed_byte_and_every_end_too_early_is_found() => ATree.Sample(static tree =>
    {
        byte[] good = Write(tree);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= (byte)(1 << (i % 8));
            Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream(changed), 5));
            Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream(good, 0, i), 5));
        }
        Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream([.. good, 0]), 5));
    }, iter: 3);

    [Theory]
    [InlineData(20)]
    [InlineData(8)]
    [InlineData(20, 8)]
    public void A_digest_and_a_zxid_behind_the_tree_are_passed_over_and_their_seals_checked(params int[] behind)
    {
        byte[] file = Write(StoredTree.Empty());
        foreach (int bytes in behind)
        {
            byte[] more = [.. file, .. new byte[bytes]];
            byte[] sum = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(sum, Adler32.Of(more));
            file = [.. more, .. sum, 0, 0, 0, 1, (byte)'/'];
        }
        Assert.Equal(4, SnapshotReader.Read(new MemoryStream(file), 5).Nodes.Count);
        file[^9] ^= 1;
        Assert.Contains("checksum", Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream(file), 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_larger_than_any_buffer_is_read_whole()
    {
        StoredTree tree = StoredTree.Empty();
        byte[] data = new byte[3_000_000];
        new Random(1).NextBytes(data);
        tree.Add("/big", new StoredNode { Data = data, Acl = SnapshotReader.OpenAcl });
        var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(Write(tree));
        }
        packed.Position = 0;
        StoredTree read = SnapshotReader.Read(new GZipStream(packed, CompressionMode.Decompress), 5);
        Assert.True(read.Nodes["/big"].Data!.Value.Span.SequenceEqual(data));
    }

    [Fact]
    public void A_snapshot_without_a_parent_or_an_ACL_is_refused()
    {
        StoredTree tree = StoredTree.Empty();
        tree.Add("/a/b", new StoredNode { Acl = SnapshotReader.OpenAcl });
        Assert.Contains("no parent", Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream(Write(tree)), 5)).Message, StringComparison.Ordinal);
        Assert.Contains("no snapshot", Assert.Throws<ZooKeeperFormatException>(() => SnapshotReader.Read(new MemoryStream("ZKLGxxxxxxxxxxxxx"u8.ToArray()), 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_checksum_is_Adler32()
    {
        Assert.Equal(0x11e60398u, Adler32.Of("Wikipedia"u8));
        var pieces = new Adler32();
        byte[] long_ = new byte[20_000];
        Array.Fill(long_, (byte)255);
        pieces.Add(long_.AsSpan(0, 7_001));
        pieces.Add(long_.AsSpan(7_001));
        Assert.Equal(Adler32.Of(long_), pieces.Value);
    }

    [Fact]
    public void Snappy_blocks_are_unpacked()
    {
        // A literal "ab", a near copy of 8 from 2 back, a literal of 1, a far copy of 3 from 4 back.
        byte[] block = [14, (2 - 1) << 2, (byte)'a', (byte)'b', 1 | ((8 - 4) << 2), 2, 0, (byte)'c', 2 | ((3 - 1) << 2), 4, 0];
        Assert.Equal("ababababab" + "c" + "bab", Encoding.ASCII.GetString(SnappyInput.Unpack(block)));
        byte[] stream = [0x82, .. "SNAPPY\0"u8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, (byte)block.Length, .. block, 0, 0, 0, 3, 1, 0, (byte)'d'];
        using var all = new MemoryStream();
        using var unpacked = new SnappyInput(new MemoryStream(stream));
        unpacked.CopyTo(all);
        Assert.Equal("ababababab" + "c" + "babd", Encoding.ASCII.GetString(all.ToArray()));
        for (int length = 1; length < block.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => SnappyInput.Unpack(block.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Snappy_garbage_is_refused_as_such() => Gen.Byte.Array[1, 60].Sample(static bytes =>
    {
        try
        {
            SnappyInput.Unpack(bytes);
        }
        catch (InvalidDataException)
        {
            // As wanted.
        }
    }, iter: 20_000);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static byte[] Write(StoredTree tree)
    {
        var bytes = new MemoryStream();
        SnapshotWriter.Write(tree, bytes);
        return bytes.ToArray();
    }

    private static IEnumerable<string> Describe(StoredTree tree) => tree.Nodes.OrderBy(static n => n.Key, StringComparer.Ordinal).Select(static n =>
        $"{n.Key} {(n.Value.Data is { } d ? Convert.ToHexString(d.Span) : "null")} {string.Join(',', n.Value.Acl)} {n.Value.Czxid} {n.Value.Mzxid} {n.Value.Pzxid} "
        + $"{n.Value.CtimeMs} {n.Value.MtimeMs} {n.Value.Version} {n.Value.Creations} {n.Value.Aversion} {n.Value.Owner}");
}

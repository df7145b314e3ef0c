using System.Buffers;
using System.Buffers.Binary;
using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Writes a tree as a snapshot that ZooKeeper 3.5 and newer start from; sessions and a digest are left out.</summary>
internal sealed class SnapshotWriter
{
    private const int ChunkBytes = 64 * 1024;

    private readonly Stream output;
    private readonly ArrayBufferWriter<byte> chunk = new(2 * ChunkBytes);
    private Adler32 checksum = new();

    private SnapshotWriter(Stream output) => this.output = output;

    public static void Write(StoredTree tree, Stream output)
    {
        var writer = new SnapshotWriter(output);
        writer.Write(tree);
        writer.Seal();
    }

    private void Write(StoredTree tree)
    {
        var jute = new JuteWriter(chunk);
        jute.WriteInt(SnapshotReader.Magic);
        jute.WriteInt(SnapshotReader.Version);
        jute.WriteLong(-1);
        jute.WriteInt(0);
        Dictionary<string, long> ids = WriteAcls(tree);

        // In this order a parent comes before its children.
        foreach (string path in tree.Nodes.Keys.Order(StringComparer.Ordinal))
        {
            StoredNode node = tree.Nodes[path];
            jute.WriteString(path == "/" ? "" : path);
            jute.WriteBuffer(node.Data);
            jute.WriteLong(ids[Key(node.Acl)]);
            jute.WriteLong(node.Czxid);
            jute.WriteLong(node.Mzxid);
            jute.WriteLong(node.CtimeMs);
            jute.WriteLong(node.MtimeMs);
            jute.WriteInt(node.Version);
            jute.WriteInt(node.Creations);
            jute.WriteInt(node.Aversion);
            jute.WriteLong(node.Owner);
            jute.WriteLong(node.Pzxid);
            if (chunk.WrittenCount > ChunkBytes)
            {
                Flush();
            }
        }
        jute.WriteString("/");
        Flush();
    }

    private Dictionary<string, long> WriteAcls(StoredTree tree)
    {
        var ids = new Dictionary<string, long> { [Key(SnapshotReader.OpenAcl)] = SnapshotReader.OpenAclId };
        var others = new List<IReadOnlyList<Acl>>();
        foreach (StoredNode node in tree.Nodes.Values)
        {
            if (ids.TryAdd(Key(node.Acl), others.Count + 1))
            {
                others.Add(node.Acl);
            }
        }
        var jute = new JuteWriter(chunk);
        jute.WriteInt(others.Count);
        for (int i = 0; i < others.Count; i++)
        {
            jute.WriteLong(i + 1);
            jute.WriteRecords(others[i]);
        }
        return ids;
    }

    private static string Key(IReadOnlyList<Acl> acl) => ReferenceEquals(acl, SnapshotReader.OpenAcl)
        ? "31\0world\0anyone\0"
        : string.Concat(acl.Select(static a => $"{a.Perms}\0{a.Id.Scheme}\0{a.Id.Name}\0"));

    private void Seal()
    {
        Span<byte> sum = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(sum, checksum.Value);
        output.Write(sum);
        output.Write([0, 0, 0, 1, (byte)'/']);
    }

    private void Flush()
    {
        checksum.Add(chunk.WrittenSpan);
        output.Write(chunk.WrittenSpan);
        chunk.ResetWrittenCount();
    }
}

using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Snapshots;

/// <summary>A tree as it was at one zxid. Never changes: it can be written by another thread while the tree goes on.</summary>
internal sealed class TreeSnapshot(
    long zxid, int end, Node[][] pages, Acl[]?[] acls, IReadOnlyList<SessionRecord> sessions)
{
    private enum Kind
    {
        Zxid = 1,
        Acl = 2,
        Session = 3,
        Node = 4,
    }

    /// <summary>The zxid of the last request in it.</summary>
    public long Zxid => zxid;

    public void WriteTo(Stream output)
    {
        int acl = 0;
        int session = 0;
        int node = 0;
        SnapshotChunks.Write(output, chunk =>
        {
            var writer = new JuteWriter(chunk);
            if (node == 0)
            {
                writer.WriteInt((int)Kind.Zxid);
                writer.WriteLong(zxid);
                writer.WriteInt(end);
                node = 1;
            }
            for (; acl < acls.Length && chunk.WrittenCount < SnapshotChunks.ChunkBytes; acl++)
            {
                if (acls[acl] is Acl[] entries)
                {
                    writer.WriteInt((int)Kind.Acl);
                    writer.WriteInt(acl);
                    writer.WriteRecords(entries);
                }
            }
            for (; session < sessions.Count && chunk.WrittenCount < SnapshotChunks.ChunkBytes; session++)
            {
                writer.WriteInt((int)Kind.Session);
                sessions[session].Write(ref writer);
            }
            for (; node < end && chunk.WrittenCount < SnapshotChunks.ChunkBytes; node++)
            {
                ref readonly Node n = ref pages[node / NodePages.PageNodes][node % NodePages.PageNodes];
                if (n.Blob is not null)
                {
                    writer.WriteInt((int)Kind.Node);
                    writer.WriteInt(node);
                    Write(n, ref writer);
                }
            }
            return acl < acls.Length || session < sessions.Count || node < end;
        });
    }

    /// <exception cref="SnapshotFormatException">The stream holds no whole snapshot.</exception>
    public static ZnodeTree Read(Stream input)
    {
        var loader = new ZnodeTree.Loader();
        try
        {
            foreach (ReadOnlyMemory<byte> chunk in SnapshotChunks.Read(input))
            {
                var reader = new JuteReader(chunk);
                while (reader.Remaining > 0)
                {
                    ReadRecord(loader, ref reader);
                }
            }
            return loader.Finish();
        }
        catch (Exception e) when (e is JuteFormatException or KeyNotFoundException or ArgumentException or IndexOutOfRangeException)
        {
            throw new SnapshotFormatException("a record in the snapshot is not whole: " + e.Message, e);
        }
    }

    private static void ReadRecord(ZnodeTree.Loader loader, ref JuteReader reader)
    {
        var kind = (Kind)reader.ReadInt();
        switch (kind)
        {
            case Kind.Zxid:
                loader.Begin(reader.ReadLong(), reader.ReadInt());
                break;
            case Kind.Acl:
                loader.Add(reader.ReadInt(), reader.ReadRecords<Acl>(12));
                break;
            case Kind.Session:
                loader.Add(SessionRecord.Read(ref reader));
                break;
            case Kind.Node:
                loader.Add(reader.ReadInt(), ReadNode(ref reader));
                break;
            default:
                throw new SnapshotFormatException($"the snapshot holds a record of kind {(int)kind}, which format 1 does not have");
        }
    }

    private static void Write(in Node n, ref JuteWriter writer)
    {
        foreach (long number in (ReadOnlySpan<long>)[n.Czxid, n.Mzxid, n.Pzxid, n.CtimeMs, n.MtimeMs, n.Owner])
        {
            writer.WriteLong(number);
        }
        foreach (int number in (ReadOnlySpan<int>)[n.Version, n.Creations, n.Aversion, n.AclId, n.Parent])
        {
            writer.WriteInt(number);
        }
        writer.WriteBuffer(n.Name);
        writer.WriteBuffer(n.Data);
    }

    private static Node ReadNode(ref JuteReader reader)
    {
        var node = new Node
        {
            Czxid = reader.ReadLong(),
            Mzxid = reader.ReadLong(),
            Pzxid = reader.ReadLong(),
            CtimeMs = reader.ReadLong(),
            MtimeMs = reader.ReadLong(),
            Owner = reader.ReadLong(),
            Version = reader.ReadInt(),
            Creations = reader.ReadInt(),
            Aversion = reader.ReadInt(),
            AclId = reader.ReadInt(),
            Parent = reader.ReadInt(),
        };
        ReadOnlyMemory<byte> name = reader.ReadBuffer().GetValueOrDefault();
        node.SetBlob(name.Span, reader.ReadBuffer());
        return node;
    }
}

using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Reads <c>snapshot.&lt;zxid&gt;</c>: sessions, ACLs, nodes, and the sums that seal them.</summary>
internal static class SnapshotReader
{
    /// <summary>"ZKSN".</summary>
    public const int Magic = 0x5a4b534e;

    /// <summary>The ACL that has this number lets anyone do anything, and stands in no list.</summary>
    public const long OpenAclId = -1;

    public const int Version = 2;

    // Behind the seal may stand a digest of the tree (3.6 and newer), and the last zxid (3.9 and newer), each sealed in turn.
    private const int SealBytes = 13;
    private const int DigestBytes = 20;
    private const int ZxidBytes = 8;

    public static readonly IReadOnlyList<Acl> OpenAcl = [new Acl(31, new AclId("world", "anyone"))];

    /// <param name="stream">The file, unpacked.</param>
    /// <param name="zxid">The transaction that the file's name bears.</param>
    /// <exception cref="ZooKeeperFormatException">It is no snapshot, or a damaged one.</exception>
    public static StoredTree Read(Stream stream, long zxid)
    {
        var input = new CheckedInput(stream);
        ReadHeader(input, Magic, "snapshot");
        var tree = new StoredTree { LastZxid = zxid };
        for (int left = Count(input, "sessions"); left > 0; left--)
        {
            tree.Sessions[input.ReadLong()] = input.ReadInt();
        }
        Dictionary<long, IReadOnlyList<Acl>> acls = ReadAcls(input);
        while (true)
        {
            long offset = input.Offset;
            string path = input.ReadString();
            if (path == "/")
            {
                break;
            }
            ReadNode(input, tree, acls, path, offset);
        }
        if (!tree.Nodes.ContainsKey("/"))
        {
            throw new ZooKeeperFormatException(input.Offset, "the tree has no root");
        }
        CheckSeal(input);
        int most = DigestBytes + ZxidBytes + (2 * SealBytes);
        switch (input.Left(most))
        {
            case 0:
                break;
            case DigestBytes + SealBytes:
                CheckSealBehind(input, DigestBytes);
                break;
            case ZxidBytes + SealBytes:
                CheckSealBehind(input, ZxidBytes);
                break;
            case DigestBytes + ZxidBytes + (2 * SealBytes):
                CheckSealBehind(input, DigestBytes);
                CheckSealBehind(input, ZxidBytes);
                break;
            default:
                throw new ZooKeeperFormatException(input.Offset, "the snapshot is whole, but bytes follow that are none of it");
        }
        return tree;
    }

    public static void ReadHeader(CheckedInput input, int magic, string what)
    {
        if (input.Left(4) < 4 || input.ReadInt() != magic)
        {
            throw new ZooKeeperFormatException(0, $"this is no {what} of ZooKeeper's: its first four bytes are others");
        }
        int version = input.ReadInt();
        if (version != Version)
        {
            throw new ZooKeeperFormatException(4, $"the {what} has version {version}; {Version} was expected");
        }
        input.ReadLong();
    }

    private static Dictionary<long, IReadOnlyList<Acl>> ReadAcls(CheckedInput input)
    {
        var acls = new Dictionary<long, IReadOnlyList<Acl>> { [OpenAclId] = OpenAcl };
        for (int left = Count(input, "ACLs"); left > 0; left--)
        {
            long id = input.ReadLong();
            var acl = new List<Acl>();
            for (int entries = Count(input, "entries of an ACL"); entries > 0; entries--)
            {
                acl.Add(new Acl(input.ReadInt(), new AclId(input.ReadString(), input.ReadString())));
            }
            acls[id] = acl;
        }
        return acls;
    }

    private static void ReadNode(CheckedInput input, StoredTree tree, Dictionary<long, IReadOnlyList<Acl>> acls, string path, long offset)
    {
        byte[]? data = input.ReadBuffer();
        long aclId = input.ReadLong();
        long czxid = input.ReadLong(), mzxid = input.ReadLong(), ctime = input.ReadLong(), mtime = input.ReadLong();
        int version = input.ReadInt(), creations = input.ReadInt(), aversion = input.ReadInt();
        long owner = input.ReadLong(), pzxid = input.ReadLong();
        if (!acls.TryGetValue(aclId, out IReadOnlyList<Acl>? acl))
        {
            throw new ZooKeeperFormatException(offset, $"{path} has ACL {aclId}, which is not listed");
        }
        bool isRoot = path.Length == 0;
        if (!isRoot && (path[0] != '/' || path[^1] == '/' || !tree.Nodes.ContainsKey(StoredTree.ParentOf(path))))
        {
            throw new ZooKeeperFormatException(offset, $"the node \"{path}\" has no parent before it");
        }
        bool isNew = tree.Add(isRoot ? "/" : path, new StoredNode
        {
            Data = data is null ? default(ReadOnlyMemory<byte>?) : data,
            Acl = acl,
            Czxid = czxid,
            Mzxid = mzxid,
            CtimeMs = ctime,
            MtimeMs = mtime,
            Version = version,
            Creations = creations,
            Aversion = aversion,
            Owner = owner,
            Pzxid = pzxid,
        });
        if (!isNew)
        {
            throw new ZooKeeperFormatException(offset, $"the node \"{path}\" is there twice");
        }
    }

    private static void CheckSealBehind(CheckedInput input, int bytes)
    {
        input.Skip(bytes);
        CheckSeal(input);
    }

    private static void CheckSeal(CheckedInput input)
    {
        long offset = input.Offset;
        uint sum = input.Checksum;
        if (input.ReadLong() != sum || input.ReadString() != "/")
        {
            throw new ZooKeeperFormatException(offset, "the checksum is another than that of the bytes before it: the file is damaged");
        }
    }

    private static int Count(CheckedInput input, string what)
    {
        long offset = input.Offset;
        int count = input.ReadInt();
        return count >= 0 ? count : throw new ZooKeeperFormatException(offset, $"the number of {what} is {count}");
    }
}

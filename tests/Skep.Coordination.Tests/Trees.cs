using System.Text;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Tests;

/// <summary>A tree with session 1, and short words for what tests ask of it.</summary>
internal sealed class Trees
{
    public static readonly Acl[] Open = [new(31, new AclId("world", "anyone"))];
    private long _zxid = 1;

    public Trees() => Tree.OpenSession(1, [], new SessionClaim(1, 10_000, []), 1);

    public ZnodeTree Tree { get; init; } = ZnodeTree.New();

    public Caller Me { get; set; } = new(1, [new AclId("ip", "127.0.0.1")]);

    public static MultiOp Create(string path, int flags = 0, OpCode type = OpCode.Create2, string data = "x", Acl[]? acl = null, long ttlMs = -1) =>
        new(type, path, Encoding.UTF8.GetBytes(data), acl ?? Open, flags, ttlMs, 0);

    public static MultiOp Delete(string path, int version = -1) => new(OpCode.Delete, path, null, [], 0, 0, version);

    public static MultiOp Set(string path, string data, int version = -1) => new(OpCode.SetData, path, Encoding.UTF8.GetBytes(data), [], 0, 0, version);

    public static MultiOp Check(string path, int version) => new(OpCode.Check, path, null, [], 0, 0, version);

    public static MultiOp SetAcl(string path, params Acl[] acl) => new(OpCode.SetAcl, path, null, acl, 0, 0, -1);

    public MultiResult Do(MultiOp op) => Tree.Apply(Me, op, ++_zxid, 1_000 + _zxid);

    public MultiResponse All(params MultiOp[] ops) => Tree.ApplyAll(Me, ops, ++_zxid, 1_000 + _zxid);

    public Stat Stat(string path)
    {
        Assert.Equal(ErrorCode.Ok, Tree.Exists(path, out Stat stat));
        return stat;
    }

    /// <summary>All of the tree that anybody can see.</summary>
    public static string Seen(ZnodeTree tree, string path = "/")
    {
        var super = new Caller(0, [new AclId("super", "")]);
        tree.GetData(super, path, out GetDataResponse data);
        tree.GetAcl(super, path, out GetAclResponse acl);
        tree.GetChildren(super, path, out GetChildren2Response children);
        string own = $"{path} {data.Stat} {(data.Data is { } d ? Convert.ToHexString(d.Span) : "null")} {string.Join(',', acl.Acl)}\n";
        return own + string.Concat(children.Children.Order(StringComparer.Ordinal).Select(c => Seen(tree, path == "/" ? "/" + c : path + "/" + c)));
    }
}

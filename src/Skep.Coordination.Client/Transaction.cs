using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>Operations that are done together or not at all (<see cref="CoordinationClient.MultiAsync"/>), in the order they are added.</summary>
public sealed class Transaction
{
    internal List<MultiOp> Ops { get; } = [];

    /// <summary>Makes a znode; the arguments are those of <see cref="CoordinationClient.CreateAsync"/>.</summary>
    public Transaction Create(
        string path, ReadOnlyMemory<byte> data = default, CreateMode mode = CreateMode.Persistent, IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null) =>
        Create(path, (ReadOnlyMemory<byte>?)data, mode, acl, ttl);

    /// <summary>As the other, for data that may be null.</summary>
    public Transaction Create(string path, ReadOnlyMemory<byte>? data, CreateMode mode, IReadOnlyList<Acl>? acl, TimeSpan? ttl)
    {
        mode.Check(ttl);
        return Add(new MultiOp(mode.Operation(), path, data, acl ?? Acls.Open, (int)mode, (long)ttl.GetValueOrDefault().TotalMilliseconds, 0));
    }

    /// <summary>Deletes a znode without children, of any version (-1) or one.</summary>
    public Transaction Delete(string path, int version = -1) => Add(new MultiOp(OpCode.Delete, path, null, [], 0, 0, version));

    /// <summary>Sets a znode's data, of any version (-1) or one.</summary>
    public Transaction SetData(string path, ReadOnlyMemory<byte> data, int version = -1) => Add(new MultiOp(OpCode.SetData, path, data, [], 0, 0, version));

    /// <summary>Lets the transaction fail unless the znode has this version (-1: unless it exists).</summary>
    public Transaction Check(string path, int version = -1) => Add(new MultiOp(OpCode.Check, path, null, [], 0, 0, version));

    private Transaction Add(MultiOp op)
    {
        Ops.Add(op);
        return this;
    }
}

/// <summary>What became of one operation: the path of a created node, and <see cref="Stat"/> where a node was created or its data set.</summary>
public readonly record struct TransactionResult(OpCode Operation, string Path, Stat Stat);

/// <summary>Reads that go in one request (<see cref="CoordinationClient.MultiReadAsync"/>).</summary>
public sealed class ReadBatch
{
    internal List<MultiOp> Ops { get; } = [];

    /// <summary>Reads a znode's data.</summary>
    public ReadBatch GetData(string path) => Add(OpCode.GetData, path);

    /// <summary>Reads the names of a znode's children.</summary>
    public ReadBatch GetChildren(string path) => Add(OpCode.GetChildren, path);

    private ReadBatch Add(OpCode op, string path)
    {
        Ops.Add(new MultiOp(op, path, null, [], 0, 0, 0));
        return this;
    }
}

/// <summary>One read's result. <see cref="Data"/> and <see cref="Stat"/> are there for data, <see cref="Children"/> for children.</summary>
public readonly record struct BatchResult(string Path, ErrorCode Error, ReadOnlyMemory<byte> Data, Stat Stat, IReadOnlyList<string> Children);

namespace Skep.Jute;

/// <summary>
/// One part of a multi or multiRead. Which fields count follows from <see cref="Type"/>: create and its kin use all but
/// <see cref="Version"/>, setData path, data and version, delete and check path and version, reads the path (no watch is set).
/// </summary>
public readonly record struct MultiOp(
    OpCode Type, string Path, ReadOnlyMemory<byte>? Data, IReadOnlyList<Acl> Acl, int Flags, long TtlMs, int Version)
{
    /// <summary>Reads the body of a request of that type.</summary>
    /// <exception cref="JuteFormatException">The bytes are no such request, or the type is none that a multi can hold.</exception>
    public static MultiOp Read(OpCode type, ref JuteReader reader)
    {
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer:
                var create = CreateRequest.Read(ref reader);
                return new MultiOp(type, create.Path, create.Data, create.Acl, create.Flags, 0, 0);
            case OpCode.CreateTtl:
                var ttl = CreateTtlRequest.Read(ref reader);
                return new MultiOp(type, ttl.Path, ttl.Data, ttl.Acl, ttl.Flags, ttl.TtlMs, 0);
            case OpCode.SetData:
                var set = SetDataRequest.Read(ref reader);
                return new MultiOp(type, set.Path, set.Data, [], 0, 0, set.Version);
            case OpCode.Delete or OpCode.Check:
                var versioned = VersionedPathRequest.Read(ref reader);
                return new MultiOp(type, versioned.Path, null, [], 0, 0, versioned.Version);
            case OpCode.GetData or OpCode.GetChildren:
                return new MultiOp(type, PathWatchRequest.Read(ref reader).Path, null, [], 0, 0, 0);
            default:
                throw new JuteFormatException($"a multi holds an operation of type {(int)type}; it can hold create, delete, setData, check, or reads");
        }
    }
}

/// <summary>The parts of a multi or multiRead: each behind a header, and a header that says done.</summary>
public readonly record struct MultiRequest(IReadOnlyList<MultiOp> Ops) : IJuteRecord<MultiRequest>
{
    private static readonly MultiHeader End = new(-1, true, -1);

    /// <inheritdoc/>
    public static MultiRequest Read(ref JuteReader reader)
    {
        var ops = new List<MultiOp>();
        for (MultiHeader header = MultiHeader.Read(ref reader); !header.Done; header = MultiHeader.Read(ref reader))
        {
            ops.Add(MultiOp.Read((OpCode)header.Type, ref reader));
        }
        return new MultiRequest(ops);
    }

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        foreach (MultiOp op in Ops)
        {
            new MultiHeader((int)op.Type, false, -1).Write(ref writer);
            WriteOp(op, ref writer);
        }
        End.Write(ref writer);
    }

    private static void WriteOp(MultiOp op, ref JuteWriter writer)
    {
        switch (op.Type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer:
                new CreateRequest(op.Path, op.Data, op.Acl, op.Flags).Write(ref writer);
                break;
            case OpCode.CreateTtl:
                new CreateTtlRequest(op.Path, op.Data, op.Acl, op.Flags, op.TtlMs).Write(ref writer);
                break;
            case OpCode.SetData:
                new SetDataRequest(op.Path, op.Data, op.Version).Write(ref writer);
                break;
            case OpCode.Delete or OpCode.Check:
                new VersionedPathRequest(op.Path, op.Version).Write(ref writer);
                break;
            case OpCode.GetData or OpCode.GetChildren:
                new PathWatchRequest(op.Path, false).Write(ref writer);
                break;
            default:
                throw new ArgumentException($"an operation of type {op.Type} cannot be part of a multi", nameof(op));
        }
    }
}

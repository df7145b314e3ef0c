using Skep.Jute;

namespace Skep.Coordination.Client;

public sealed partial class CoordinationClient
{
    /// <summary>Makes a znode; its parent must exist.</summary>
    /// <param name="path">Where; of a sequential node, the name before its number.</param>
    /// <param name="data">Its data.</param>
    /// <param name="mode">What kind of node.</param>
    /// <param name="acl">Who may do what; <see cref="Acls.Open"/> where none is given.</param>
    /// <param name="ttl">How long a node of the two modes with a time to live may stay unchanged, up to 2^39 ms.</param>
    /// <param name="ct">Gives up waiting; the node may be made all the same.</param>
    public Task<CreatedNode> CreateAsync(
        string path, ReadOnlyMemory<byte> data = default, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken ct = default)
    {
        mode.Check(ttl);
        string full = _chroot.Full(path);
        return ttl is TimeSpan time
            ? WriteAsync(OpCode.CreateTtl, path, new CreateTtlRequest(full, data, acl ?? Acls.Open, (int)mode, (long)time.TotalMilliseconds), data.Length, ReadCreated, ct)
            : WriteAsync(mode.Operation(), path, new CreateRequest(full, data, acl ?? Acls.Open, (int)mode), data.Length, ReadCreated, ct);
    }

    /// <summary>Deletes a znode without children.</summary>
    /// <param name="path">Which.</param>
    /// <param name="version">The version that it must have; -1 for any.</param>
    /// <param name="ct">Gives up waiting; the node may be deleted all the same.</param>
    public Task DeleteAsync(string path, int version = -1, CancellationToken ct = default) =>
        WriteAsync(OpCode.Delete, path, new VersionedPathRequest(_chroot.Full(path), version), 0, static (ref JuteReader _) => true, ct);

    /// <summary>Sets a znode's data.</summary>
    /// <param name="path">Which.</param>
    /// <param name="data">Its new data.</param>
    /// <param name="version">The version that it must have; -1 for any.</param>
    /// <param name="ct">Gives up waiting; the data may be set all the same.</param>
    public Task<Stat> SetDataAsync(string path, ReadOnlyMemory<byte> data, int version = -1, CancellationToken ct = default) =>
        WriteAsync(OpCode.SetData, path, new SetDataRequest(_chroot.Full(path), data, version), data.Length, ReadStat, ct);

    /// <summary>Sets a znode's ACL.</summary>
    /// <param name="path">Which.</param>
    /// <param name="acl">Its new ACL.</param>
    /// <param name="aclVersion">The ACL's version that it must have; -1 for any.</param>
    /// <param name="ct">Gives up waiting; the ACL may be set all the same.</param>
    public Task<Stat> SetAclAsync(string path, IReadOnlyList<Acl> acl, int aclVersion = -1, CancellationToken ct = default) =>
        WriteAsync(OpCode.SetAcl, path, new SetAclRequest(_chroot.Full(path), acl, aclVersion), 64 * acl.Count, ReadStat, ct);

    /// <summary>Does all of a transaction or nothing of it.</summary>
    /// <returns>A result for each operation, in their order.</returns>
    /// <exception cref="MultiException">Nothing was done; it says which operation could not be, and why.</exception>
    public async Task<IReadOnlyList<TransactionResult>> MultiAsync(Transaction transaction, CancellationToken ct = default)
    {
        MultiOp[] ops = [.. transaction.Ops.Select(o => o with { Path = _chroot.Full(o.Path) })];
        int dataBytes = ops.Sum(o => o.Path.Length + o.Data.GetValueOrDefault().Length + 64);
        MultiResponse answer = await WriteAsync(OpCode.Multi, "", new MultiRequest(ops), dataBytes, MultiResponse.Read, ct);
        var results = new TransactionResult[answer.Results.Count];
        for (int i = 0; i < results.Length; i++)
        {
            MultiResult result = answer.Results[i];
            if (result.Err != ErrorCode.Ok)
            {
                throw new MultiException(i, transaction.Ops[i].Type, result.Err, transaction.Ops[i].Path);
            }
            string path = result.Path.Length == 0 ? transaction.Ops[i].Path : _chroot.Short(result.Path);
            results[i] = new TransactionResult(transaction.Ops[i].Type, path, result.Stat);
        }
        return results;
    }

    private CreatedNode ReadCreated(ref JuteReader reader)
    {
        Create2Response answer = Create2Response.Read(ref reader);
        return new CreatedNode(_chroot.Short(answer.Path), answer.Stat);
    }

    private static Stat ReadStat(ref JuteReader reader) => StatResponse.Read(ref reader).Stat;
}

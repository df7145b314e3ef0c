using Skep.Coordination.Client.Session;
using Skep.Jute;

namespace Skep.Coordination.Client;

public sealed partial class CoordinationClient
{
    private const string ConfigPath = "/zookeeper/config";

    /// <summary>What is known of a znode; null where there is none.</summary>
    public Task<Stat?> ExistsAsync(string path, CancellationToken ct = default)
    {
        RequestFrame frame = RequestFrame.Make(OpCode.Exists, new PathWatchRequest(_chroot.Full(path), false));
        return _session.SendAsync(new Request<Stat?>(OpCode.Exists, path, frame, (error, body) => ReadExists(path, error, body)) { IsRepeatable = true }, ct);
    }

    /// <summary>A znode's data, as a slice of the frame received.</summary>
    public Task<NodeData> GetDataAsync(string path, CancellationToken ct = default) =>
        ReadAsync(OpCode.GetData, path, new PathWatchRequest(_chroot.Full(path), false), ReadData, ct);

    /// <summary>The names of a znode's children, in no order.</summary>
    public Task<NodeChildren> GetChildrenAsync(string path, CancellationToken ct = default) =>
        ReadAsync(OpCode.GetChildren2, path, new PathWatchRequest(_chroot.Full(path), false), ReadChildren, ct);

    /// <summary>A znode's ACL.</summary>
    public Task<NodeAcl> GetAclAsync(string path, CancellationToken ct = default) =>
        ReadAsync(OpCode.GetAcl, path, new PathRequest(_chroot.Full(path)), static (ref JuteReader r) =>
        {
            GetAclResponse answer = GetAclResponse.Read(ref r);
            return new NodeAcl(answer.Acl, answer.Stat);
        }, ct);

    /// <summary>Returns when this client's server has seen all that was done before the call, so that the next read shows it.</summary>
    public Task SyncAsync(string path, CancellationToken ct = default) =>
        ReadAsync(OpCode.Sync, path, new PathRequest(_chroot.Full(path)), static (ref JuteReader _) => true, ct);

    /// <summary>The paths of this session's ephemeral nodes at or below a prefix.</summary>
    public async Task<IReadOnlyList<string>> GetEphemeralsAsync(string prefix = "/", CancellationToken ct = default)
    {
        IReadOnlyList<string> paths = await ReadAsync(OpCode.GetEphemerals, prefix, new PathRequest(_chroot.Full(prefix)),
            static (ref JuteReader r) => GetChildrenResponse.Read(ref r).Children, ct);
        return [.. paths.Select(_chroot.Short)];
    }

    /// <summary>How many znodes there are below one, at all depths.</summary>
    public Task<int> GetAllChildrenNumberAsync(string path, CancellationToken ct = default) =>
        ReadAsync(OpCode.GetAllChildrenNumber, path, new PathRequest(_chroot.Full(path)),
            static (ref JuteReader r) => GetAllChildrenNumberResponse.Read(ref r).TotalNumber, ct);

    /// <summary>Whom the server takes this session for.</summary>
    public Task<IReadOnlyList<ClientInfo>> WhoAmIAsync(CancellationToken ct = default) =>
        _session.SendAsync(new Request<IReadOnlyList<ClientInfo>>(OpCode.WhoAmI, "", RequestFrame.Make(OpCode.WhoAmI),
            Checked(OpCode.WhoAmI, "", static (ref JuteReader r) => WhoAmIResponse.Read(ref r).ClientInfos))
        { IsRepeatable = true }, ct);

    /// <summary>The ensemble's configuration, as the servers keep it in their own node; no chroot applies.</summary>
    public Task<NodeData> GetConfigAsync(CancellationToken ct = default) =>
        ReadAsync(OpCode.GetData, ConfigPath, new PathWatchRequest(ConfigPath, false), ReadData, ct);

    /// <summary>Several reads in one request. Each has its own result: one that fails does not keep the others from being answered.</summary>
    public async Task<IReadOnlyList<BatchResult>> MultiReadAsync(ReadBatch batch, CancellationToken ct = default)
    {
        MultiResponse answer = await ReadAsync(OpCode.MultiRead, "", new MultiRequest([.. batch.Ops.Select(o => o with { Path = _chroot.Full(o.Path) })]),
            MultiResponse.Read, ct);
        return [.. answer.Results.Select((r, i) => new BatchResult(batch.Ops[i].Path, r.Err, r.Data.GetValueOrDefault(), r.Stat, r.Children))];
    }

    private static NodeData ReadData(ref JuteReader reader)
    {
        GetDataResponse answer = GetDataResponse.Read(ref reader);
        return new NodeData(answer.Data.GetValueOrDefault(), answer.Stat) { IsNull = answer.Data is null };
    }

    private static NodeChildren ReadChildren(ref JuteReader reader)
    {
        GetChildren2Response answer = GetChildren2Response.Read(ref reader);
        return new NodeChildren(answer.Children, answer.Stat);
    }

    private static Stat? ReadExists(string path, ErrorCode error, ReadOnlyMemory<byte> body)
    {
        if (error == ErrorCode.NoNode)
        {
            return null;
        }
        return Checked(OpCode.Exists, path, static (ref JuteReader r) => StatResponse.Read(ref r).Stat)(error, body);
    }
}

using System.Globalization;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Api;
using Skep.Api.Backups;
using Skep.Identity.Certificates;
using Skep.Manager.Backups;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Store;
using Skep.Store.Members;
using Skep.V1;

namespace Skep.Manager.Membership;

/// <summary>How the managers fare, and a copy of what they hold.</summary>
/// <param name="store">The cluster.</param>
/// <param name="members">The members.</param>
/// <param name="ownNodeId">The manager that answers.</param>
/// <param name="time">Tells when a copy was taken.</param>
public sealed class ManagersService(ClusterStore store, IManagerMembers members, string ownNodeId, TimeProvider time) : Managers.ManagersBase
{
    private readonly ClusterBackup backup = new(store, ownNodeId, time);
    private int backups;

    /// <inheritdoc/>
    public override Task<ManagersStatus> Status(ManagersStatusRequest request, ServerCallContext context)
    {
        ManagersStatus status = members.Status();
        status.AnsweredBy = ownNodeId;
        List<Node> nodes = store.Read(static view => view.List<Node>().ToList());
        foreach (ManagerMember member in status.Members)
        {
            Name(member, nodes);
            if (member.Leader)
            {
                status.Leader = member.NodeId.Length > 0 ? member.NodeId : member.RaftId.ToString("x", CultureInfo.InvariantCulture);
            }
        }
        List<ManagerMember> inOrder = [.. status.Members.OrderBy(static m => m.Kind == ManagerMember.Types.Kind.Learner).ThenBy(static m => m.Hostname, StringComparer.Ordinal).ThenBy(static m => m.RaftId)];
        status.Members.Clear();
        status.Members.AddRange(inOrder);
        return Task.FromResult(ManagersQuorum.Conclude(status));
    }

    /// <inheritdoc/>
    public override async Task Backup(BackupRequest request, IServerStreamWriter<BackupPiece> responseStream, ServerCallContext context)
    {
        Cluster cluster = store.Read(ClusterObject.Find) ?? throw Refusal.Precondition("there is no cluster object yet; try again");
        BackupSecret secret = Secret(request, cluster);
        if (Interlocked.CompareExchange(ref backups, 1, 0) != 0)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "another backup is being taken; try again when it is done"));
        }
        try
        {
            await backup.WriteAsync(
                cluster.Id,
                members.Status().Term,
                secret,
                piece => responseStream.WriteAsync(new BackupPiece { Data = UnsafeByteOperations.UnsafeWrap(piece) }, context.CancellationToken),
                context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref backups, 0);
        }
    }

    private static BackupSecret Secret(BackupRequest request, Cluster cluster)
    {
        if (request.UnlockKey == request.Passphrase.Length > 0)
        {
            throw Refusal.Invalid("a backup is encrypted to a passphrase or to the cluster's unlock key: give one of the two");
        }
        if (!request.UnlockKey)
        {
            try
            {
                return BackupSecret.Passphrase(request.Passphrase);
            }
            catch (BackupException e)
            {
                throw Refusal.Invalid(e.Message);
            }
        }
        return cluster.Spec?.EncryptionConfig?.AutoLockManagers == true && cluster.UnlockKeys.FirstOrDefault(static k => k.Subsystem == RoleNames.Manager) is { } key
            ? BackupSecret.UnlockKey(key.Key.Span)
            : throw Refusal.Precondition("the managers are not locked, so there is no unlock key to encrypt a backup to; give a passphrase, or turn autolock on with swarmctl cluster update default --autolock");
    }

    private void Name(ManagerMember member, List<Node> nodes)
    {
        if (nodes.Find(n => MemberIds.IsOf(member.RaftId, n.Id)) is { } node)
        {
            member.NodeId = node.Id;
            member.Hostname = node.Description?.Hostname ?? "";
        }
        else if (MemberIds.IsOf(member.RaftId, ownNodeId))
        {
            member.NodeId = ownNodeId;
        }
    }
}

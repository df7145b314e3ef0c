using System.Globalization;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Control;
using Skep.Store;
using Skep.Store.Members;
using Skep.V1;

namespace Skep.Manager.Membership;

/// <summary>How the managers fare.</summary>
/// <param name="store">Knows the members' nodes.</param>
/// <param name="members">The members.</param>
/// <param name="ownNodeId">The manager that answers.</param>
public sealed class ManagersService(ClusterStore store, IManagerMembers members, string ownNodeId) : Managers.ManagersBase
{
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

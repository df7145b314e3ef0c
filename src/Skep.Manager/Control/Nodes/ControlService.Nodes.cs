using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Identity;
using Skep.Manager.Certificates;
using Skep.Store;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    // Tasks are orphaned in the transaction that removes their node, which has room for this many.
    private const int OrphansInOneTransaction = ClusterStore.MaxChanges - 8;

    /// <inheritdoc/>
    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context)
    {
        if (request.NodeId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        Node node = store.Read(view => view.Get<Node>(request.NodeId)) ?? throw NodeNotFound(request.NodeId);
        return Task.FromResult(new GetNodeResponse { Node = WithManagerStatus(node) });
    }

    /// <inheritdoc/>
    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context)
    {
        ListNodesRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListNodesResponse
        {
            Nodes =
            {
                List<Node>(n =>
                    Matching.OneOf(n.Description?.Hostname ?? "", f?.Names)
                    && Matching.StartsWithOneOf(n.Description?.Hostname ?? "", f?.NamePrefixes)
                    && Matching.StartsWithOneOf(n.Id, f?.IdPrefixes)
                    && Matching.HasLabels(n.Description?.Engine?.Labels, f?.Labels)
                    && Matching.HasLabels(n.Spec?.Annotations?.Labels, f?.NodeLabels)
                    && Matching.OneOf(n.Role, f?.Roles)
                    && Matching.OneOf(n.Spec?.Membership ?? default, f?.Memberships))
                    .Select(WithManagerStatus),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<UpdateNodeResponse> UpdateNode(UpdateNodeRequest request, ServerCallContext context)
    {
        if (request.NodeId.Length == 0 || request.NodeVersion is null || request.Spec is null)
        {
            throw Refusal.Invalid();
        }
        CheckNodeSpec(request.Spec);
        Node? node = null;
        await WriteAsync(
            tx =>
            {
                Node stored = tx.Get<Node>(request.NodeId) ?? throw NodeNotFound(request.NodeId);
                CheckRoleChange(tx, stored, request.Spec);
                node = ToChange(stored, request.NodeVersion);
                node.Spec = request.Spec.Clone();
                tx.Update(node);
            },
            context).ConfigureAwait(false);
        LogChange("node", request.NodeId, request.NodeId, "updated");
        return new UpdateNodeResponse { Node = WithManagerStatus(node!) };
    }

    /// <inheritdoc/>
    public override async Task<RemoveNodeResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context)
    {
        if (request.NodeId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        List<string> orphans = [];
        await WriteAsync(
            tx =>
            {
                Node node = tx.Get<Node>(request.NodeId) ?? throw NodeNotFound(request.NodeId);
                CheckRemoval(node, request.Force);
                Cluster cluster = ClusterObject.Find(tx)?.Clone()
                    ?? throw new RpcException(new Status(StatusCode.Internal, "could not fetch cluster object"));
                NodeBlacklist.Add(cluster, node, time.GetUtcNow());
                tx.Update(cluster);
                orphans = [.. tx.TasksByNode(node.Id).Where(IsUnderWay).Select(t => t.Id)];
                foreach (string id in orphans.Take(OrphansInOneTransaction))
                {
                    Orphan(tx, id);
                }
                tx.Remove<Node>(node.Id);
            },
            context).ConfigureAwait(false);
        await store.BatchAsync(orphans.Skip(OrphansInOneTransaction), Orphan).ConfigureAwait(false);
        LogChange("node", request.NodeId, request.NodeId, "removed");
        return new RemoveNodeResponse();
    }

    private static RpcException NodeNotFound(string id) => Refusal.NotFound($"node {id} not found");

    private static void CheckNodeSpec(NodeSpec spec)
    {
        Rules.EnumRules.CheckKnown(spec.Availability, "NodeSpec: availability");
        Rules.EnumRules.CheckKnown(spec.DesiredRole, "NodeSpec: desired role");
        Rules.EnumRules.CheckKnown(spec.Membership, "NodeSpec: membership");
    }

    private void CheckRoleChange(WriteTransaction view, Node node, NodeSpec wanted)
    {
        NodeRole desired = node.Spec?.DesiredRole ?? NodeRole.Worker;
        if (desired == NodeRole.Manager && wanted.DesiredRole == NodeRole.Worker)
        {
            if (view.List<Node>().Count(n => n.Role == NodeRole.Manager) == 1 && node.Role == NodeRole.Manager)
            {
                throw Refusal.Precondition("attempting to demote the last manager of the swarm");
            }
            if (members.Find(node.Id) is null)
            {
                throw Refusal.NotFound("can't find manager in raft memberlist");
            }
            if (!members.CanLose(node.Id))
            {
                throw Refusal.Precondition("can't remove member from the raft: this would result in a loss of quorum");
            }
        }
        else if (desired == NodeRole.Worker && wanted.DesiredRole == NodeRole.Manager && !SkepMark.IsOn(node))
        {
            throw Refusal.Precondition(
                $"node {node.Id} cannot become a manager: it does not run Skep's swarmd, and managers of another make do not share a raft log; join it with Skep's swarmd first");
        }
        else if (desired == NodeRole.Worker && wanted.DesiredRole == NodeRole.Manager && members.FullReason is { } reason)
        {
            throw Refusal.Precondition($"node {node.Id} cannot become a manager: {reason}");
        }
    }

    private void CheckRemoval(Node node, bool force)
    {
        if ((node.Spec?.DesiredRole == NodeRole.Manager || node.Role == NodeRole.Manager) && members.Find(node.Id) is not null)
        {
            throw Refusal.Precondition(
                $"node {node.Id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal");
        }
        if (!force && node.Status?.State == NodeStatus.Types.State.Ready)
        {
            throw Refusal.Precondition($"node {node.Id} is not down and can't be removed");
        }
    }

    private static bool IsUnderWay(SwarmTask task) => (task.Status?.State ?? TaskState.New) < TaskState.Complete;

    // Nobody is left to tell what becomes of it: it would count as running, and hold its network and its name, for ever.
    private void Orphan(WriteTransaction tx, string taskId)
    {
        if (tx.Get<SwarmTask>(taskId) is { } stored && IsUnderWay(stored))
        {
            SwarmTask task = stored.Clone();
            task.Status = new()
            {
                State = TaskState.Orphaned,
                Timestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
                Message = "the node was removed from the cluster",
            };
            tx.Update(task);
        }
    }

    private Node WithManagerStatus(Node node)
    {
        if (members.Find(node.Id) is not { } status)
        {
            return node;
        }
        Node shown = node.Clone();
        shown.ManagerStatus = status;
        return shown;
    }
}

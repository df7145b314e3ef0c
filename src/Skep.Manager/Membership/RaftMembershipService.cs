using System.Globalization;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Identity.Authorization;
using Skep.Manager.Control;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Manager.Membership;

/// <summary>Reaches a member that wants to join, as the leader would; throws when it cannot.</summary>
/// <param name="memberId">The member.</param>
/// <param name="address">Where it says it is reached, host:port.</param>
/// <param name="ct">Gives up.</param>
public delegate Task ReachMember(ulong memberId, string address, CancellationToken ct);

/// <summary>
/// Takes managers into the group. A joiner becomes a learner at once, if it can be reached; the leader lets it vote when it has
/// caught up. Served by the leader.
/// </summary>
public sealed partial class RaftMembershipService(
    ClusterStore store, StoreMembers members, ManagerRoster roster, ReachMember reach, ILogger<RaftMembershipService> logger) : RaftMembership.RaftMembershipBase
{
    /// <summary>gRPC header with the joiner's id in the group, hexadecimal. Only Skep's managers send it, and only they share its log.</summary>
    public const string MemberIdHeader = "skep-member-id";

    private static readonly TimeSpan ReachTimeout = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public override async Task<JoinResponse> Join(JoinRequest request, ServerCallContext context)
    {
        CallerIdentity caller = context.Caller();
        ClusterMember joiner = Joiner(request, context, caller);
        Node node = store.Read(view => view.Get<Node>(caller.NodeId))
            ?? throw Refusal.NotFound($"node {caller.NodeId} not found");
        if (node.Spec?.DesiredRole != NodeRole.Manager)
        {
            throw Refusal.Precondition($"node {node.Id} is not to be a manager: promote it first");
        }
        await ReachAsync(joiner, context.CancellationToken).ConfigureAwait(false);
        await AddAsync(node.Id, joiner, context.CancellationToken).ConfigureAwait(false);
        return new JoinResponse
        {
            RaftId = joiner.Id,
            Members = { members.View.Members.Select(m => new RaftMember { RaftId = m.Id, Addr = m.Address }) },
        };
    }

    /// <inheritdoc/>
    public override Task<LeaveResponse> Leave(LeaveRequest request, ServerCallContext context) =>
        throw Refusal.Precondition("a manager leaves when it is demoted: swarmctl node demote NODE");

    private static ClusterMember Joiner(JoinRequest request, ServerCallContext context, CallerIdentity caller)
    {
        string text = context.RequestHeaders.FirstOrDefault(h => h.Key == MemberIdHeader && !h.IsBinary)?.Value ?? "";
        if (!ulong.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong id) || !MemberIds.IsOf(id, caller.NodeId))
        {
            throw Refusal.Precondition($"only Skep's swarmd joins this cluster's managers: the header {MemberIdHeader} names no member of node {caller.NodeId}");
        }
        return request.Addr.Length == 0
            ? throw Refusal.Invalid("addr is missing: it says where the other managers reach this one")
            : new ClusterMember(id, request.Addr, MemberKind.Learner);
    }

    private async Task ReachAsync(ClusterMember joiner, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(ReachTimeout);
        try
        {
            await reach(joiner.Id, joiner.Address, patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            string why = e is OperationCanceledException ? $"no answer within {ReachTimeout.TotalSeconds} s" : e.Message;
            throw Refusal.Precondition($"the leader cannot reach the joining manager at {joiner.Address}: {why}; give it an address that the other managers reach with --advertise-remote-api");
        }
    }

    private async Task AddAsync(string nodeId, ClusterMember joiner, CancellationToken ct)
    {
        MembersView view = members.View;
        ClusterMember? known = view.OfNode(nodeId);
        if (known is { Kind: MemberKind.Leaving })
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"node {nodeId} is just leaving the managers; ask again"));
        }
        if (known?.Id == joiner.Id && known.Address == joiner.Address)
        {
            return;
        }
        if (known is null && roster.FullReason is { } full)
        {
            throw Refusal.Precondition(full);
        }

        // A node that lost its log comes as another member; what it was before has no log and no voice any more.
        IEnumerable<ClusterMember> others = view.Members.Where(m => m.Kind != MemberKind.Leaving && !MemberIds.IsOf(m.Id, nodeId));
        ClusterMember added = known?.Id == joiner.Id ? joiner with { Kind = known.Kind } : joiner;
        try
        {
            await members.ChangeAsync([.. others, added], ct).ConfigureAwait(false);
            await members.WaitForAsync(v => !v.IsLeading || v.Find(joiner.Id)?.Address == joiner.Address, ct).ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
        }
        LogJoined(nodeId, joiner.Id, joiner.Address);
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Information, Message = "Node {NodeId} takes part as manager {MemberId:x} at {Address}; it votes once it has caught up")]
    private partial void LogJoined(string nodeId, ulong memberId, string address);
}

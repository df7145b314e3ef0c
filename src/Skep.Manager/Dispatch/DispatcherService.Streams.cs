using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Identity.Authorization;
using Skep.Manager.Dispatch.Assignments;
using Skep.Manager.Dispatch.Feeds;
using Skep.Manager.Dispatch.Sessions;

namespace Skep.Manager.Dispatch;

/// <content>The streams: they end when their session ends, and read the store anew whenever they are woken.</content>
public sealed partial class DispatcherService
{
    /// <summary>The weight SwarmKit gives every manager.</summary>
    private const int ManagerWeight = 10;

    /// <inheritdoc/>
    public override async Task Session(SessionRequest request, IServerStreamWriter<SessionMessage> responseStream, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        CallerIdentity caller = Caller(context);
        string own = ownAddress(context);
        NodeSession session = await OpenSessionAsync(request, caller, context.CancellationToken).ConfigureAwait(false);
        using NodeFeed feed = dispatcher.Router.Open(caller.NodeId, FeedInterest.Session);
        await WhileSessionLasts(session, context, async ct =>
        {
            SessionMessage? last = null;
            while (true)
            {
                SessionMessage message = Describe(session, own);
                if (!message.Equals(last))
                {
                    await responseStream.WriteAsync(message, ct).ConfigureAwait(false);
                    last = message;
                }
                await feed.WaitAsync(ct).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task Assignments(
        AssignmentsRequest request, IServerStreamWriter<AssignmentsMessage> responseStream, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        string nodeId = Caller(context).NodeId;
        NodeSession session = dispatcher.Sessions.Get(nodeId, request.SessionId);
        using NodeFeed feed = dispatcher.Router.Open(nodeId, FeedInterest.Tasks);
        await WhileSessionLasts(session, context, async ct =>
        {
            var set = new AssignmentSet(nodeId);
            Read(set.Resync);
            await responseStream.WriteAsync(set.Take(AssignmentsMessage.Types.Type.Complete), ct).ConfigureAwait(false);
            TimeSpan sent = dispatcher.Now;
            while (true)
            {
                await NextAsync(feed, sent, ct).ConfigureAwait(false);
                TakeUp(feed, set.Resync, set.Apply);
                if (set.HasChanges)
                {
                    await responseStream.WriteAsync(set.Take(AssignmentsMessage.Types.Type.Incremental), ct).ConfigureAwait(false);
                    sent = dispatcher.Now;
                }
            }
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    [Obsolete("Kept for agents of 1.12, which know no other stream.")]
    public override async Task Tasks(TasksRequest request, IServerStreamWriter<TasksMessage> responseStream, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        string nodeId = Caller(context).NodeId;
        NodeSession session = dispatcher.Sessions.Get(nodeId, request.SessionId);
        using NodeFeed feed = dispatcher.Router.Open(nodeId, FeedInterest.Tasks);
        await WhileSessionLasts(session, context, async ct =>
        {
            var list = new TaskList(nodeId);
            Read(list.Resync);
            while (true)
            {
                await responseStream.WriteAsync(list.Take(), ct).ConfigureAwait(false);
                TimeSpan sent = dispatcher.Now;
                do
                {
                    await NextAsync(feed, sent, ct).ConfigureAwait(false);
                    TakeUp(feed, list.Resync, list.Apply);
                }
                while (!list.HasChanges);
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Waits for something to tell; then, unless much has gathered, until the last message is long enough ago.</summary>
    private async Task NextAsync(NodeFeed feed, TimeSpan sent, CancellationToken ct)
    {
        await feed.WaitAsync(ct).ConfigureAwait(false);
        TimeSpan wait = sent + dispatcher.Options.AssignmentInterval - dispatcher.Now;
        if (wait > TimeSpan.Zero)
        {
            await feed.WaitFullAsync(wait, dispatcher.Clock, ct).ConfigureAwait(false);
        }
    }

    private void TakeUp(NodeFeed feed, Action<Store.IStoreView> resync, Action<Store.IStoreView, IEnumerable<string>> apply)
    {
        IReadOnlyCollection<string> changed = feed.Take(out bool all);
        if (all)
        {
            Read(resync);
        }
        else if (changed.Count > 0)
        {
            Read(view => apply(view, changed));
        }
    }

    private void Read(Action<Store.IStoreView> read) => dispatcher.Store.Read(view =>
    {
        read(view);
        return true;
    });

    private static async Task WhileSessionLasts(NodeSession session, ServerCallContext context, Func<CancellationToken, Task> stream)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, session.Ended);
        try
        {
            await stream(either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (session.Ended.IsCancellationRequested && e is OperationCanceledException or InvalidOperationException or IOException)
        {
            throw new RpcException(session.Reason);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The agent has gone; it has its grace period to come back.
        }
    }

    private SessionMessage Describe(NodeSession session, string own)
    {
        ClusterFacts facts = dispatcher.Facts;
        var message = new SessionMessage
        {
            SessionId = session.Id,
            Node = dispatcher.Store.Read(view => view.Get<Node>(session.NodeId)),
            NetworkBootstrapKeys = { facts.NetworkKeys },
            RootCA = facts.RootCa,
        };

        // An agent keeps exactly the managers it is told, so this one is always among them, and none that cannot be reached.
        message.Managers.Add(Weighted(new() { NodeId = dispatcher.NodeId, Addr = own }));
        message.Managers.Add(facts.Managers.Where(m => m.NodeId != dispatcher.NodeId && IsReachable(m.Addr)).Select(Weighted));
        return message;
    }

    private static WeightedPeer Weighted(Peer peer) => new() { Peer = peer, Weight = ManagerWeight };

    private static bool IsReachable(string address) =>
        address.Length > 0
        && !address.StartsWith("0.0.0.0:", StringComparison.Ordinal)
        && !address.StartsWith("[::]:", StringComparison.Ordinal);
}

using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Manager.Dispatch.Feeds;
using Skep.Manager.Dispatch.Sessions;
using Skep.Manager.Dispatch.Writing;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Dispatch;

/// <summary>
/// What the leading manager knows of its nodes' agents: who is registered, who has fallen silent, and whom a change concerns.
/// One subscription, one timer and one queue of writes serve all nodes. Not running, it refuses every call.
/// </summary>
public sealed partial class NodeDispatcher : ManagerLoop
{
    /// <summary>How often silent nodes are looked for: how late at most one is found.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly DispatcherOptions options;
    private readonly WriteQueue writes;
    private readonly long origin;
    private volatile bool running;
    private volatile ClusterFacts facts = ClusterFacts.None;
    private bool takenOver;

    /// <summary>A dispatcher that is not started yet.</summary>
    /// <param name="store">The cluster's objects.</param>
    /// <param name="nodeId">This manager's node, noted in every status it stores.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads the heartbeats.</param>
    /// <param name="logger">Where it says what it does.</param>
    /// <param name="options">Its numbers; SwarmKit's by default.</param>
    public NodeDispatcher(
        ClusterStore store, string nodeId, TimeProvider time, Random random, ILogger<NodeDispatcher> logger, DispatcherOptions? options = null)
        : base(time, logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        this.options = options ?? new();
        Store = store;
        NodeId = nodeId;
        origin = time.GetTimestamp();
        Sessions = new(this.options, random);
        Router = new(this.options.AssignmentBatch);
        writes = new(store, this.options.WriteBacklog, logger);
    }

    internal ClusterStore Store { get; }

    internal string NodeId { get; }

    internal DispatcherOptions Options => options;

    internal NodeSessions Sessions { get; }

    internal FeedRouter Router { get; }

    internal ClusterFacts Facts => facts;

    internal TimeProvider Clock => Time;

    /// <summary>The time on the clock that never jumps.</summary>
    internal TimeSpan Now => Time.GetElapsedTime(origin);

    /// <exception cref="RpcException">This manager does not lead.</exception>
    internal void EnsureRunning()
    {
        if (!running)
        {
            throw new RpcException(Refusals.Stopped);
        }
    }

    /// <summary>Stores what a node reported; it is durable when this returns.</summary>
    /// <exception cref="RpcException">The store could not take it; the agent reports it again.</exception>
    internal async Task WriteAsync(IReadOnlyCollection<Action<WriteTransaction>> changes, CancellationToken ct)
    {
        EnsureRunning();
        try
        {
            await writes.WriteAsync(changes, ct).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"the manager could not store the report: {e.Message}"));
        }
    }

    /// <summary>Registers a node: its description is stored, it is ready, and an older session of it ends.</summary>
    /// <exception cref="RpcException">The node is unknown or registers too often.</exception>
    internal async Task<NodeSession> RegisterAsync(string nodeId, NodeDescription? description, string? address, CancellationToken ct)
    {
        if (Store.Read(view => view.Get<Node>(nodeId)) is null)
        {
            throw new RpcException(Refusals.NodeNotFound);
        }
        Sessions.CountRegistration(nodeId, Now);

        // From here on the node counts as alive, so that an older session's silence cannot mark it down after it was marked ready.
        Sessions.Expect(nodeId, Now);
        await WriteAsync([tx => StatusChanges.Register(tx, nodeId, description, address)], ct).ConfigureAwait(false);
        NodeSession session = Sessions.Begin(nodeId, Ids.New(), Now);
        if (!running)
        {
            session.End(Refusals.Stopped);
        }
        LogRegistered(Logger, nodeId);
        return session;
    }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            if (!takenOver)
            {
                await TakeOverAsync(ct).ConfigureAwait(false);
                takenOver = true;
            }
            (ClusterFacts read, StoreSubscription subscription) = Store.ReadAndSubscribe(ClusterFacts.Read);
            using (subscription)
            {
                SetFacts(read);
                Router.ResyncAll();
                await using ITimer timer = Time.CreateTimer(_ => FindSilent(stop.Token), null, Tick, Tick);
                running = true;
                Task[] parts = [RouteAsync(subscription, stop.Token), writes.RunAsync(stop.Token)];
                Task first = await Task.WhenAny(parts).ConfigureAwait(false);
                await stop.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(parts).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
                await first.ConfigureAwait(false);
            }
        }
        finally
        {
            if (ct.IsCancellationRequested)
            {
                running = false;
                takenOver = false;
                writes.RefuseAll();
                Sessions.Clear();
            }
        }
    }

    /// <summary>Waits for every node that may be alive, for as long as it may be silent; it is unknown until it registers.</summary>
    private async Task TakeOverAsync(CancellationToken ct)
    {
        Sessions.Clear();
        List<Node> nodes = Store.Read(view => view.List<Node>().ToList());
        Sessions.SetPeriod(Store.Read(ClusterFacts.Read).HeartbeatPeriod);
        foreach (Node node in nodes)
        {
            if (node.Status?.State == NodeStatus.Types.State.Down)
            {
                Sessions.SetDown(node.Id, Now);
            }
            else
            {
                Sessions.Expect(node.Id, Now);
            }
        }
        await Store.BatchAsync(
            nodes.Where(n => n.Status?.State != NodeStatus.Types.State.Down),
            static (tx, node) => StatusChanges.Mark(
                tx, node.Id, NodeStatus.Types.State.Unknown, "Node moved to \"unknown\" state due to leadership change in cluster"),
            ct).ConfigureAwait(false);
    }

    private async Task RouteAsync(StoreSubscription subscription, CancellationToken ct)
    {
        await foreach (StoreCommit commit in subscription.Commits.ReadAllAsync(ct).ConfigureAwait(false))
        {
            if (ClusterFacts.Concerns(commit))
            {
                SetFacts(Store.Read(ClusterFacts.Read));
                Router.WakeSessions();
            }
            Router.Route(commit);
            foreach (StoreChange change in commit.Changes)
            {
                if (change is { Kind: StoreChangeKind.Remove, Object: Node node })
                {
                    Sessions.Forget(node.Id);
                }
            }
        }
    }

    private void SetFacts(ClusterFacts read)
    {
        facts = read;
        Sessions.SetPeriod(read.HeartbeatPeriod);
    }

    private void FindSilent(CancellationToken ct)
    {
        foreach ((string nodeId, bool registered) in Sessions.TakeSilent(Now))
        {
            LogSilent(Logger, nodeId);
            _ = MarkDownAsync(nodeId, registered ? "heartbeat failure" : "heartbeat failure for node in \"unknown\" state", ct);
        }
        foreach (string nodeId in Sessions.TakeLost(Now))
        {
            LogLost(Logger, nodeId);
            _ = OrphanTasksAsync(nodeId, ct);
        }
    }

    private async Task MarkDownAsync(string nodeId, string message, CancellationToken ct)
    {
        try
        {
            await writes.WriteAsync([tx => MarkDown(tx, nodeId, message)], ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // The node is as silent as before: it is found again after another grace period.
            LogNotMarked(Logger, e, nodeId);
            Sessions.Expect(nodeId, Now);
        }
        catch (OperationCanceledException)
        {
            // The next leader finds it.
        }
    }

    private void MarkDown(WriteTransaction tx, string nodeId, string message)
    {
        // It may have come back while this waited for its turn.
        if (!Sessions.IsExpected(nodeId))
        {
            StatusChanges.Mark(tx, nodeId, NodeStatus.Types.State.Down, message);
            Sessions.SetDown(nodeId, Now);
        }
    }

    private async Task OrphanTasksAsync(string nodeId, CancellationToken ct)
    {
        try
        {
            List<string> ids = Store.Read(view => view.TasksByNode(nodeId).Where(StatusChanges.IsUnderWay).Select(t => t.Id).ToList());
            await writes.WriteAsync(
                [.. ids.Select(id => (Action<WriteTransaction>)(tx => StatusChanges.Orphan(tx, id, NodeId, Time.GetUtcNow())))], ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            LogNotMarked(Logger, e, nodeId);
            Sessions.SetDown(nodeId, Now);
        }
        catch (OperationCanceledException)
        {
            // The next leader finds them.
        }
    }

    [LoggerMessage(EventId = 5010, Level = LogLevel.Information, Message = "node {NodeId} registered")]
    private static partial void LogRegistered(ILogger logger, string nodeId);

    [LoggerMessage(EventId = 5011, Level = LogLevel.Warning, Message = "node {NodeId} fell silent and is down")]
    private static partial void LogSilent(ILogger logger, string nodeId);

    [LoggerMessage(EventId = 5012, Level = LogLevel.Warning, Message = "node {NodeId} has been down for so long that its tasks are given up")]
    private static partial void LogLost(ILogger logger, string nodeId);

    [LoggerMessage(EventId = 5013, Level = LogLevel.Error, Message = "what became of node {NodeId} could not be stored; it is tried again")]
    private static partial void LogNotMarked(ILogger logger, Exception e, string nodeId);
}

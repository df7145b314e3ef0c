using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Logs;

/// <summary>
/// Brings clients that read logs and agents that have them together. It runs on the leading manager only; not running, it
/// refuses every call. It also watches the store: a service that is followed gets new tasks, and a node may go down.
/// </summary>
/// <param name="store">The cluster's objects.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it says what it does.</param>
public sealed partial class LogHub(ClusterStore store, TimeProvider time, ILogger<LogHub> logger) : ManagerLoop(time, logger)
{
    private const int MaxSubscriptions = 1_000;
    private static readonly Status NotRunning = new(StatusCode.Unavailable, "broker is not running");

    private readonly Lock gate = new();
    private readonly Dictionary<string, LogSubscription> subscriptions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<LogListener>> listeners = new(StringComparer.Ordinal);
    private CancellationTokenSource? open;

    /// <summary>Cancelled when the hub stops.</summary>
    /// <exception cref="RpcException">It does not run.</exception>
    internal CancellationToken EnsureRunning()
    {
        lock (gate)
        {
            return open?.Token ?? throw new RpcException(NotRunning);
        }
    }

    /// <summary>Opens a subscription and tells the agents concerned.</summary>
    /// <exception cref="RpcException">There are too many.</exception>
    internal LogSubscription Subscribe(LogSelector selector, LogSubscriptionOptions? options)
    {
        var subscription = new LogSubscription(new() { Id = Ids.New(), Selector = selector, Options = options ?? new() });
        lock (gate)
        {
            if (subscriptions.Count >= MaxSubscriptions)
            {
                throw new RpcException(new Status(
                    StatusCode.ResourceExhausted, $"{MaxSubscriptions} log subscriptions are open already; close some and try again"));
            }

            // Entered first: a task that is placed from here on is seen either by the read below or by the loop.
            subscriptions[subscription.Id] = subscription;
        }
        Match(subscription);
        lock (gate)
        {
            foreach (string nodeId in subscription.Nodes)
            {
                if (listeners.ContainsKey(nodeId))
                {
                    Wake(nodeId);
                }
                else
                {
                    subscription.Done(nodeId, $"node {nodeId} is not available");
                }
            }
        }
        subscription.CompleteWhenDone();
        return subscription;
    }

    internal void Unsubscribe(LogSubscription subscription)
    {
        subscription.Close();
        lock (gate)
        {
            subscriptions.Remove(subscription.Id);
            foreach (string nodeId in subscription.Nodes)
            {
                Wake(nodeId);
            }
        }
    }

    internal LogSubscription? Find(string subscriptionId)
    {
        lock (gate)
        {
            return subscriptions.GetValueOrDefault(subscriptionId);
        }
    }

    internal LogListener Listen(string nodeId)
    {
        var listener = new LogListener(nodeId);
        lock (gate)
        {
            if (!listeners.TryGetValue(nodeId, out List<LogListener>? ofNode))
            {
                listeners[nodeId] = ofNode = [];
            }
            ofNode.Add(listener);
        }
        listener.Wake();
        return listener;
    }

    internal List<SubscriptionMessage> Next(LogListener listener)
    {
        lock (gate)
        {
            return listener.Next(subscriptions.Values);
        }
    }

    internal void Leave(LogListener listener)
    {
        lock (gate)
        {
            if (!listeners.TryGetValue(listener.NodeId, out List<LogListener>? ofNode) || !ofNode.Remove(listener) || ofNode.Count > 0)
            {
                return;
            }
            listeners.Remove(listener.NodeId);
            GiveUp(listener.NodeId, $"node {listener.NodeId} disconnected unexpectedly");
        }
    }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        using StoreSubscription changes = store.Subscribe();
        using var running = CancellationTokenSource.CreateLinkedTokenSource(ct);
        lock (gate)
        {
            open = running;
            foreach (LogSubscription subscription in subscriptions.Values.Where(s => s.Follows))
            {
                Match(subscription);
                subscription.Nodes.ToList().ForEach(Wake);
            }
        }
        try
        {
            await foreach (StoreCommit commit in changes.Commits.ReadAllAsync(ct).ConfigureAwait(false))
            {
                Route(commit);
            }
        }
        finally
        {
            lock (gate)
            {
                open = null;
            }
            await running.CancelAsync().ConfigureAwait(false);
        }
    }

    private void Route(StoreCommit commit)
    {
        lock (gate)
        {
            if (subscriptions.Count == 0)
            {
                return;
            }
            foreach (StoreChange change in commit.Changes)
            {
                if (change is { Object: SwarmTask task, Kind: not StoreChangeKind.Remove })
                {
                    foreach (LogSubscription s in subscriptions.Values)
                    {
                        if (s.Follows && s.Wants(task) && s.AddTask(task) is { } nodeId)
                        {
                            Wake(nodeId);
                        }
                    }
                }
                else if (change.Object is Node node
                    && (change.Kind == StoreChangeKind.Remove || node.Status?.State == NodeStatus.Types.State.Down))
                {
                    GiveUp(node.Id, $"node {node.Id} is not available");
                }
            }
        }
    }

    private void Match(LogSubscription subscription)
    {
        LogSelector selector = subscription.Message.Selector;
        foreach (string nodeId in selector.NodeIds)
        {
            subscription.AddNode(nodeId);
        }

        // A task that does not run yet has no logs; who follows gets them when it does.
        foreach (SwarmTask task in store.Read(view => selector.TaskIds.Select(view.Get<SwarmTask>).OfType<SwarmTask>()
            .Concat(selector.ServiceIds.SelectMany(view.TasksByService)
                .Where(t => subscription.Follows || t.Status?.State >= TaskState.Running)).ToList()))
        {
            subscription.AddTask(task);
        }
    }

    private void Wake(string nodeId)
    {
        foreach (LogListener listener in listeners.GetValueOrDefault(nodeId) ?? [])
        {
            listener.Wake();
        }
    }

    private void GiveUp(string nodeId, string error)
    {
        foreach (LogSubscription subscription in subscriptions.Values)
        {
            subscription.Done(nodeId, error);
        }
    }
}

using System.Threading.Channels;
using Docker.Swarmkit.V1;

namespace Skep.Manager.Logs;

/// <summary>
/// One client's wish to read logs: the nodes that have them, what arrived and waits for the client, and what went wrong. Bounded
/// by back-pressure: while the client does not read, the agents' streams for it are not read either, and nothing is dropped.
/// </summary>
internal sealed class LogSubscription(SubscriptionMessage message)
{
    /// <summary>How many messages of agents wait for the client.</summary>
    private const int Backlog = 16;

    private readonly Lock gate = new();
    private readonly Dictionary<string, bool> doneByNode = new(StringComparer.Ordinal);
    private readonly SortedSet<string> unscheduledTasks = new(StringComparer.Ordinal);
    private readonly List<string> errors = [];
    private readonly HashSet<string> taskIds = [.. message.Selector.TaskIds];
    private readonly HashSet<string> serviceIds = [.. message.Selector.ServiceIds];
    private readonly Channel<PublishLogsMessage> published = Channel.CreateBounded<PublishLogsMessage>(Backlog);

    /// <summary>What the agents are told.</summary>
    public SubscriptionMessage Message => message;

    public string Id => message.Id;

    public bool Follows => message.Options?.Follow == true;

    /// <summary>What the agents sent. Completes when every node has sent all, or never for one that follows.</summary>
    public ChannelReader<PublishLogsMessage> Published => published.Reader;

    /// <summary>The nodes that have logs of it.</summary>
    public IReadOnlyList<string> Nodes
    {
        get
        {
            lock (gate)
            {
                return [.. doneByNode.Keys];
            }
        }
    }

    /// <summary>Whether a task's logs are wanted.</summary>
    public bool Wants(SwarmTask task) => taskIds.Contains(task.Id) || serviceIds.Contains(task.ServiceId);

    /// <summary>Adds a node.</summary>
    /// <returns>Whether it is new.</returns>
    public bool AddNode(string nodeId)
    {
        lock (gate)
        {
            return doneByNode.TryAdd(nodeId, false);
        }
    }

    /// <summary>Adds the node of a task, or remembers that the task has none yet.</summary>
    /// <returns>The node if it is new.</returns>
    public string? AddTask(SwarmTask task)
    {
        lock (gate)
        {
            if (task.NodeId.Length == 0)
            {
                unscheduledTasks.Add(task.Id);
                return null;
            }
            unscheduledTasks.Remove(task.Id);
            return doneByNode.TryAdd(task.NodeId, false) ? task.NodeId : null;
        }
    }

    /// <summary>Whether a node has still to send.</summary>
    public bool Awaits(string nodeId)
    {
        lock (gate)
        {
            return doneByNode.TryGetValue(nodeId, out bool done) && !done;
        }
    }

    /// <summary>Notes that a node has sent all it can. One that follows is never done: its agent may come back.</summary>
    public void Done(string nodeId, string? error)
    {
        lock (gate)
        {
            if (Follows || !doneByNode.TryGetValue(nodeId, out bool done) || done)
            {
                return;
            }
            doneByNode[nodeId] = true;
            if (error is not null)
            {
                errors.Add(error);
            }
        }
        CompleteWhenDone();
    }

    /// <summary>Completes what was published when no node has more to send.</summary>
    public void CompleteWhenDone()
    {
        lock (gate)
        {
            if (!Follows && doneByNode.Values.All(done => done))
            {
                published.Writer.TryComplete();
            }
        }
    }

    /// <summary>Hands on what an agent sent; waits while the client is slow.</summary>
    /// <exception cref="ChannelClosedException">Nobody reads any more.</exception>
    public ValueTask PublishAsync(PublishLogsMessage logs, CancellationToken ct) => published.Writer.WriteAsync(logs, ct);

    /// <summary>Ends it: agents that still send are turned away.</summary>
    public void Close() => published.Writer.TryComplete();

    /// <summary>What is missing, in SwarmKit's words; null when nothing is.</summary>
    public string? Shortfall()
    {
        lock (gate)
        {
            string[] reasons = [.. errors, .. unscheduledTasks.Select(id => $"task {id} has not been scheduled")];
            return reasons.Length == 0
                ? null
                : $"warning: incomplete log stream. some logs could not be retrieved for the following reasons: {string.Join(", ", reasons)}";
        }
    }
}

using Grpc.Core;

namespace Skep.Manager.Dispatch.Sessions;

/// <summary>
/// Which nodes are registered, and until when they are believed to live. Times are from the caller's monotonic clock. A node
/// with an entry but no session is one that was ready when this manager took over: it is waited for.
/// </summary>
internal sealed class NodeSessions(DispatcherOptions options, Random random)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, NodeSession?> nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Registrations> registrations = new(StringComparer.Ordinal);
    private readonly ExpiryQueue alive = new();
    private readonly ExpiryQueue down = new();
    private readonly HeartbeatPeriods periods = new(options.HeartbeatPeriod, options.HeartbeatEpsilon, random);

    /// <summary>What the cluster's spec says the period is; zero stands for the default.</summary>
    public void SetPeriod(TimeSpan period)
    {
        lock (gate)
        {
            periods.Mean = period > TimeSpan.Zero ? period : options.HeartbeatPeriod;
        }
    }

    /// <summary>Waits for a node that this manager has not heard of yet, or that is about to register.</summary>
    public void Expect(string nodeId, TimeSpan now)
    {
        lock (gate)
        {
            nodes.TryAdd(nodeId, null);
            alive.Set(nodeId, now + Grace());
            down.Remove(nodeId);
        }
    }

    /// <summary>Notes that a node is down, for the time when its tasks are given up.</summary>
    public void SetDown(string nodeId, TimeSpan now)
    {
        lock (gate)
        {
            down.Set(nodeId, now + options.OrphanAfter);
        }
    }

    /// <summary>Whether the node is registered or waited for.</summary>
    public bool IsExpected(string nodeId)
    {
        lock (gate)
        {
            return nodes.ContainsKey(nodeId);
        }
    }

    /// <summary>Counts a registration.</summary>
    /// <exception cref="RpcException">The node registers too often.</exception>
    public void CountRegistration(string nodeId, TimeSpan now)
    {
        lock (gate)
        {
            if (!registrations.TryGetValue(nodeId, out Registrations r) || now - r.Last > options.RegistrationWindow)
            {
                r = default;
            }
            if (r.Count >= options.RegistrationLimit)
            {
                throw new RpcException(Refusals.TooManyRegistrations(nodeId));
            }
            registrations[nodeId] = new(r.Count + 1, now);
        }
    }

    /// <summary>Begins a session; an older one of the node ends.</summary>
    public NodeSession Begin(string nodeId, string sessionId, TimeSpan now)
    {
        var session = new NodeSession(nodeId, sessionId);
        NodeSession? older;
        lock (gate)
        {
            nodes.TryGetValue(nodeId, out older);
            nodes[nodeId] = session;
            alive.Set(nodeId, now + Grace());
            down.Remove(nodeId);
        }
        older?.End(Refusals.SessionInvalid);
        return session;
    }

    /// <summary>The session a node names.</summary>
    /// <exception cref="RpcException">The node has no session, or another.</exception>
    public NodeSession Get(string nodeId, string sessionId)
    {
        lock (gate)
        {
            if (!nodes.TryGetValue(nodeId, out NodeSession? session))
            {
                throw new RpcException(Refusals.NotRegistered);
            }
            return session is not null && session.Id == sessionId ? session : throw new RpcException(Refusals.SessionInvalid);
        }
    }

    /// <summary>Takes a sign of life.</summary>
    /// <returns>The time until the next one is due.</returns>
    /// <exception cref="RpcException">The node has no session, or another.</exception>
    public TimeSpan Heartbeat(string nodeId, string sessionId, TimeSpan now)
    {
        lock (gate)
        {
            Get(nodeId, sessionId);
            TimeSpan period = periods.Next();
            alive.Set(nodeId, now + (period * options.GracePeriods));
            return period;
        }
    }

    /// <summary>Takes out the nodes that were silent for too long. Their sessions end.</summary>
    /// <returns>Each with whether it had registered with this manager.</returns>
    public IReadOnlyList<(string NodeId, bool Registered)> TakeSilent(TimeSpan now)
    {
        List<(string, NodeSession?)> silent = [];
        lock (gate)
        {
            foreach (string nodeId in alive.TakeExpired(now))
            {
                if (nodes.Remove(nodeId, out NodeSession? session))
                {
                    silent.Add((nodeId, session));
                }
            }
        }
        foreach ((_, NodeSession? session) in silent)
        {
            session?.End(Refusals.NotRegistered);
        }
        return [.. silent.Select(s => (s.Item1, s.Item2 is not null))];
    }

    /// <summary>Takes out the nodes that have been down for so long that their tasks are given up.</summary>
    public IReadOnlyList<string> TakeLost(TimeSpan now)
    {
        lock (gate)
        {
            return down.TakeExpired(now);
        }
    }

    /// <summary>Forgets a node that is no longer in the cluster.</summary>
    public void Forget(string nodeId)
    {
        NodeSession? session;
        lock (gate)
        {
            nodes.Remove(nodeId, out session);
            registrations.Remove(nodeId);
            alive.Remove(nodeId);
            down.Remove(nodeId);
        }
        session?.End(Refusals.NotRegistered);
    }

    /// <summary>Ends every session.</summary>
    public void Clear()
    {
        NodeSession?[] ending;
        lock (gate)
        {
            ending = [.. nodes.Values];
            nodes.Clear();
            registrations.Clear();
            alive.Clear();
            down.Clear();
        }
        foreach (NodeSession? session in ending)
        {
            session?.End(Refusals.Stopped);
        }
    }

    private TimeSpan Grace() => periods.Next() * options.GracePeriods;

    private readonly record struct Registrations(int Count, TimeSpan Last);
}

using System.Globalization;
using Skep.Coordination.Serving;
using Skep.Coordination.Tree;
using Skep.Jute;
using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>A group of members of the service with their clients; all that happens follows from the seed.</summary>
internal sealed class Service
{
    private const long BeginMs = 1_700_000_000_000;
    public const double Drift = 0.05;

    public Service(int seed, ServiceOptions options)
    {
        Options = options;
        var random = new Random(seed);
        int members = random.Next(6) switch { 0 => 1, < 4 => 3, _ => 5 };
        ReadsAreLinearizable = random.Next(5) == 0;
        Truth = new Truth(this);
        var core = new CoreOptions
        {
            Id = 0,
            ElectionTimeoutMs = 500,
            HeartbeatMs = 50,
            ClockDriftBound = Drift,
            UseLease = random.Next(4) > 0,
            MaxMessageSizeBytes = random.Next(2) == 0 ? 1024 * 1024 : 2_000,
            MaxInFlightMessages = random.Next(2) == 0 ? 256 : 4,
            MaxUncommittedBytes = random.Next(2) == 0 ? 64 * 1024 * 1024 : 2_000,
            CaughtUpEntries = 10,
            SnapshotTimeoutMs = 1_000,
        };
        int strangers = random.Next(3);
        World = new World(seed, core, new WorldOptions { Machine = Machine, Trace = options.Trace, LookAtDisks = false }, members + strangers, members, Drift) { TickUs = 25_000 };
        Truth.Configuration = World.Nodes[0].Disk.Snapshot!.Configuration;
        Membership = new Membership(this, members);
        World.Weather = ServiceStorm.Fair(World.Random);
        (int every, int keep) = random.Next(4) switch { 0 => (int.MaxValue, 0), 1 => (random.Next(3, 10), 3), _ => (random.Next(5, 100), 15) };
        foreach (SimulatedNode node in World.Nodes)
        {
            (node.SnapshotEvery, node.Disk.KeepEntries) = (every, random.Next(keep + 1));
        }
        for (int number = 0, count = 2 + random.Next(4); number < count; number++)
        {
            var client = new SimulatedClient(this, number);
            Clients.Add(client);
            Workloads.Add(new Workload(this, client));
        }
    }

    public ServiceOptions Options { get; }

    public World World { get; }

    public Truth Truth { get; }

    public Membership Membership { get; }

    public Histories Seen { get; } = new();

    public List<SimulatedClient> Clients { get; } = [];

    public List<Workload> Workloads { get; } = [];

    public bool ReadsAreLinearizable { get; }

    /// <summary>Connections that were given a session of one member alone.</summary>
    public int ReadOnlyConnections { get; set; }

    /// <summary>When anybody led last.</summary>
    public long LedUs { get; set; }

    public int ClientLatencyUs { get; set; } = 500;

    /// <summary>The highest zxid that any client was shown.</summary>
    public long ShownZxid { get; set; }

    public int Answers { get; set; }

    public long WallMs => BeginMs + (World.NowUs / 1000);

    /// <summary>Those that are to be in the group, once they are.</summary>
    public IEnumerable<(SimulatedNode Node, Member Member)> Members => Membership.Wanted.Select(static n => (n, ((MemberState)n.State).Member));

    /// <summary>A session was ended since its client was silent: was it?</summary>
    public void Expired(long sessionId, Session session)
    {
        if (Clients.Find(c => c.SessionId == sessionId) is not { IsSilent: false, IsOpen: true, Link: { } link } client || link.Connection is not { } connection)
        {
            return;
        }
        // Who stands still hears nothing, and what it was to tell comes late.
        long sinceUs = World.NowUs - (1000L * session.TimeoutMs * 11 / 10);
        bool wasAwake = client.AwakeSinceUs < sinceUs && !World.Nodes.Exists(n => n.PausedUntilUs > sinceUs);
        bool isOpen = connection.State == ConnectionState.Open && connection.Epoch == session.Epoch && link.HasMember && !link.IsCut
            && World.NowUs - link.HeardUs < 1000L * session.TimeoutMs / 2;
        if (isOpen && wasAwake)
        {
            throw new SimulationFailure("expiry", $"session {sessionId:x} of client {client.Number} expires, which member {link.NodeId} has connected and heard {(World.NowUs - link.HeardUs) / 1000} ms ago; its time-out is {session.TimeoutMs} ms");
        }
    }

    /// <summary>The nodes that all clients use.</summary>
    public void Found()
    {
        Membership.Start();
        Clients.ForEach(static c => c.Start());
        string[] paths = [.. Enumerable.Range(0, Histories.Registers).Select(static r => "/r" + r.ToString(CultureInfo.InvariantCulture)), "/q", "/e", "/c", "/k", "/t", "/m0", "/m1"];
        World.RunUntil(60_000_000, () => Clients[0].IsOpen);
        var missing = paths.ToHashSet();
        for (int attempt = 0; attempt < 20 && missing.Count > 0; attempt++)
        {
            foreach (string path in missing.Where(_ => Clients[0].IsOpen))
            {
                Clients[0].Ask(OpCode.Create, (ref JuteWriter w) => new CreateRequest(path, ReadOnlyMemory<byte>.Empty, [new Acl(31, new AclId("world", "anyone"))], 0).Write(ref w), (_, _) => missing.Remove(path));
            }
            World.RunUntil(World.NowUs + 3_000_000, () => missing.Count == 0);
        }
        if (missing.Count > 0)
        {
            throw new SimulationFailure("liveness", "the first nodes were not made within a minute");
        }
        // A member that is behind would say truly that they are not there.
        World.RunUntil(World.NowUs + 10_000_000, () => World.LeaderNode is { } leader && Membership.Wanted.All(n => n.Applied == leader.Core.LastIndex));
    }

    // One that does not run is given what the group begins with.
    private NodeState Machine(World world, SimulatedNode node, NodeState? snapshot) =>
        node.IsUp ? new MemberState(this, node, snapshot ?? TreeState.Empty) : TreeState.Empty;
}

using System.Globalization;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;

namespace Swarmctl.Tests.Support;

/// <summary>The three nodes and the service of SwarmKit's own session that the golden files are from.</summary>
internal static class RedisCluster
{
    public const string ServiceId = "r8h29a285p780texkw4op9yf7";

    public static readonly DateTimeOffset Start = new(2026, 11, 23, 4, 7, 38, TimeSpan.Zero);

    private static readonly Dictionary<string, string> NodeIds = new()
    {
        ["node-1"] = "v8v9zkajvhc273lqnkomel4qa",
        ["node-2"] = "wz5u7dwxis1bdx5bl8lpmpuk1",
        ["node-3"] = "al9dj6jr9a89vgl7d8ihs6i7m",
    };

    public static FakeControl AddNodes(this FakeControl control)
    {
        foreach ((string name, string id) in NodeIds)
        {
            control.Nodes.Add(new Node
            {
                Id = id,
                Meta = new() { Version = new() { Index = 7 } },
                Spec = new() { Membership = NodeSpec.Types.Membership.Accepted, Annotations = new() },
                Status = new() { State = NodeStatus.Types.State.Ready, Addr = "127.0.0.1" },
                Description = Description(name),
                ManagerStatus = name == "node-1" ? new() { Leader = true, Reachability = RaftMemberStatus.Types.Reachability.Reachable } : null,
            });
        }
        return control;
    }

    public static FakeControl AddCluster(this FakeControl control)
    {
        const string Digest = "SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-";
        control.Clusters.Add(new Cluster
        {
            Id = "qernf2v2gp1dsbpi9qaw1b0sh",
            Spec = new()
            {
                Annotations = new() { Name = "default" },
                Orchestration = new() { TaskHistoryRetentionLimit = 5 },
                Dispatcher = new() { HeartbeatPeriod = Seconds(5) },
                CaConfig = new() { NodeCertExpiry = Seconds(2160 * 3600) },
            },
            RootCa = new() { JoinTokens = new() { Worker = Digest + "31n55h9xy3nxsbi24bwqet3xh", Manager = Digest + "84xtah7c02o3dtyzjsx71hiz6" } },
        });
        return control;
    }

    /// <summary>The service, and the tasks that <paramref name="tasks"/> tells of: each <c>id slot tag desired observed secondsAgo node</c>, of a slot the newest first.</summary>
    public static Service AddService(this FakeControl control, ulong replicas, string tag, string tasks)
    {
        var service = new Service
        {
            Id = ServiceId,
            Meta = new() { Version = new() { Index = 40 } },
            Spec = new()
            {
                Annotations = new() { Name = "redis" },
                Replicated = new() { Replicas = replicas },
                Task = new() { Container = new() { Image = "redis:" + tag } },
            },
        };
        control.Services.Add(service);
        int age = 0;
        foreach (string line in tasks.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            control.Tasks.Add(Task(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), ++age));
        }
        return service;
    }

    public static UpdateStatus Updating(int secondsAgo) => new()
    {
        State = UpdateStatus.Types.UpdateState.Updating,
        Message = "update in progress",
        StartedAt = Timestamp.FromDateTimeOffset(Start.AddSeconds(-secondsAgo)),
    };

    public static Duration Seconds(long count) => new() { Seconds = count };

    private static SwarmTask Task(string[] fields, int age)
    {
        Assert.True(WireNames.TryParse(fields[3], out TaskState desired) & WireNames.TryParse(fields[4], out TaskState observed));
        return new SwarmTask
        {
            Id = fields[0],
            Slot = ulong.Parse(fields[1], CultureInfo.InvariantCulture),
            Meta = new() { CreatedAt = Timestamp.FromDateTimeOffset(Start.AddHours(-1).AddSeconds(-age)) },
            ServiceId = ServiceId,
            ServiceAnnotations = new() { Name = "redis" },
            Spec = new() { Container = new() { Image = "redis:" + fields[2] } },
            DesiredState = desired,
            NodeId = NodeIds[fields[6]],
            Status = new() { State = observed, Timestamp = Timestamp.FromDateTimeOffset(Start.AddSeconds(-int.Parse(fields[5], CultureInfo.InvariantCulture))) },
        };
    }

    private static NodeDescription Description(string hostname) => new()
    {
        Hostname = hostname,
        Platform = new() { Os = "linux", Architecture = "x86_64" },
        Resources = new() { NanoCpus = 2_000_000_000, MemoryBytes = 25_769_803_776 },
        Engine = new()
        {
            EngineVersion = "20.10.24+dfsg1",
            Plugins =
            {
                new[] { "bridge", "host", "ipvlan", "macvlan", "null", "overlay" }.Select(n => new PluginDescription { Type = "Network", Name = n }),
                new PluginDescription { Type = "Volume", Name = "local" },
            },
        },
    };
}

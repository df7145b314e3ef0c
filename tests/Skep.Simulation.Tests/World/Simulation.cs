using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>One run from one seed: a storm over a group under load, then peace.</summary>
internal static class Simulation
{
    private const double Drift = 0.05;
    private const int PeaceMs = 4000;

    /// <summary>Runs a seed.</summary>
    /// <returns>What was done in it.</returns>
    /// <exception cref="SimulationFailure">An invariant does not hold; the message ends with how to see it again.</exception>
    public static (long Steps, int Answered, ulong Committed, int Refusals) Run(int seed, WorldOptions options)
    {
        var random = new Random(seed);
        var voters = random.Next(5) == 0 ? random.Next(1, 6) : random.Next(2) == 0 ? 3 : 5;
        var nodes = Math.Min(7, voters + random.Next(4));
        var core = new CoreOptions
        {
            Id = 0,
            Group = EngineDisk.Group,
            ElectionTimeoutMs = 100,
            HeartbeatMs = 20,
            ClockDriftBound = Drift,
            UseLease = random.Next(4) > 0,
            MaxMessageSizeBytes = random.Next(3) == 0 ? 4096 : random.Next(2) == 0 ? 1 : random.Next(400),
            MaxInFlightMessages = random.Next(2) == 0 ? 1 : random.Next(2, 10),
            MaxInFlightBytes = 1 + random.Next(2000),
            MaxUncommittedBytes = 100 + random.Next(4000),
            MaxUnstoredBytes = 100 + random.Next(4000),
            MaxCachedBytes = random.Next(1000),
            CaughtUpEntries = 3,
            SnapshotTimeoutMs = 200,
        };
        var world = new World(seed, core, options, nodes, voters, Drift) { TickUs = 8_000 + random.Next(8_000) };
        world.Weather = Storm.Fair(world.Random);
        var every = random.Next(3) == 0 ? int.MaxValue : random.Next(5, 80);
        foreach (var node in world.Nodes)
        {
            (node.SnapshotEvery, node.Disk.KeepEntries) = (every, random.Next(10));
        }

        var clients = new Clients(world, 2 + random.Next(4));
        try
        {
            Run(world, clients);
        }
        catch (Exception e) when (e is not SimulationFailure)
        {
            // The core itself saw what must not be, or stumbled.
            throw new SimulationFailure("core", e.ToString());
        }

        return (world.Steps, clients.Answered, world.Invariants.CommittedIndex, world.Refusals);
    }

    private static void Run(World world, Clients clients)
    {
        world.StartAll();
        clients.Start();
        var storm = new Storm(world);
        storm.Start();
        var stormUs = 1000L * world.Options.StormMs;
        world.RunUntil(stormUs);
        storm.End();
        clients.Stop();
        world.Say(() => "the storm is over");

        var wrote = false;
        Write(world, () => wrote = true);
        world.RunUntil(stormUs + 1000L * PeaceMs, () => wrote && IsCalm(world));
        if (!wrote || !IsCalm(world))
        {
            throw new SimulationFailure("liveness", $"{PeaceMs} ms after the storm {(wrote ? "not all members have the log" : "no write was done")}");
        }

        foreach (var member in Members(world))
        {
            world.Invariants.CheckDurability(member);
        }

        clients.CheckHistories();
    }

    private static IEnumerable<SimulatedNode> Members(World world) =>
        world.LeaderNode is { } leader ? leader.Core.Configuration.MemberIds().Select(id => world.Nodes[(int)id - 1]) : [];

    private static bool IsCalm(World world) =>
        world.LeaderNode is { } leader && !leader.Core.Configuration.IsJoint() && Members(world).All(m => m.Applied == leader.Core.LastIndex);

    private static void Write(World world, Action done) => world.At(world.NowUs + 50_000, () =>
    {
        if (world.LeaderNode is { } leader)
        {
            var answered = false;
            leader.Put(RegisterState.SpareKey, int.MaxValue, 0, applied =>
            {
                answered = true;
                if (applied)
                {
                    done();
                }
                else
                {
                    Write(world, done);
                }
            });
            world.At(world.NowUs + 500_000, () =>
            {
                if (!answered)
                {
                    Write(world, done);
                }
            });
        }
        else
        {
            Write(world, done);
        }
    });
}

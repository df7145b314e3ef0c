using System.Diagnostics;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Acceptance.Harness;
using Skep.Simulation;

namespace Skep.Acceptance.Managers.Storms;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// Managers are killed, frozen, cut off and filled up under clients that write and read. SKEP_STORM_SEED replays a schedule of
/// faults; SKEP_SOAK says how long it goes on, in seconds (1: five minutes).
/// </summary>
[Collection(nameof(Alone))]
public sealed class Managers_in_a_storm
{
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Nothing_acknowledged_is_lost_what_is_read_is_in_one_order_and_the_calm_after_it_works(int members)
    {
        IReadOnlyList<IReadOnlyList<Fault>> lanes = Fault.Lanes(StormLength.Seed, members, StormLength.Value, out int small);
        await using StormCluster storm = await StormCluster.StartAsync(members, small);
        var clients = new StormClients([.. storm.Members.Select(storm.Skep.ControlOf)], StormLength.Seed);
        try
        {
            using var stop = new CancellationTokenSource();
            Task running = clients.RunAsync(stop.Token);
            long began = Stopwatch.GetTimestamp();
            await Task.WhenAll(lanes.Select(lane => storm.RunAsync(lane, began)));
            await storm.HealAsync();
            TimeSpan recovery = await WriteAsync(storm);
            await stop.CancelAsync();
            await running;
            TestContext.Current.TestOutputHelper?.WriteLine(storm.Trace);
            Say($"storm of {members} managers, seed {StormLength.Seed}, {StormLength.Value.TotalSeconds:0} s: {clients.Summary}; a disk full {storm.FullDisks} times; a write {recovery.TotalSeconds:0.0} s after the last heal");
            Assert.True(clients.Registers.Sum(r => r.AcknowledgedWrites) > 0, "no write was acknowledged at all");
            await CheckAsync(storm, clients);
        }
        catch (Exception e) when (e.GetType().Name != "SkipException")
        {
            throw new InvalidOperationException(
                $"storm of {members} managers, seed {StormLength.Seed} (SKEP_STORM_SEED={StormLength.Seed} replays it): {e.Message}\n{clients.Summary}\n{storm.Trace}\n{await storm.Skep.LogsAsync()}", e);
        }
    }

    private static async Task<TimeSpan> WriteAsync(StormCluster storm)
    {
        long healed = Stopwatch.GetTimestamp();
        int tried = 0;
        await Wait.Until("a write is taken after the last heal", async () =>
        {
            var spec = new ConfigSpec { Annotations = new() { Name = $"calm-{tried}" }, Data = Google.Protobuf.ByteString.CopyFromUtf8("calm") };
            await storm.Skep.ControlOf(storm.Members[tried++ % storm.Members.Count]).CreateConfigAsync(new() { Spec = spec }, deadline: DateTime.UtcNow.AddSeconds(3));
            return true;
        });
        TimeSpan took = Stopwatch.GetElapsedTime(healed);
        Assert.True(took < LongestRecovery, $"a write was taken {took.TotalSeconds:0.0} s after the last heal; expected within {LongestRecovery.TotalSeconds} s");
        return took;
    }

    private static async Task CheckAsync(StormCluster storm, StormClients clients)
    {
        await storm.Skep.ReachableAsync(storm.Members.Count);
        var final = new Dictionary<string, (int Value, ulong Version)>();
        foreach ((Register register, int i) in clients.Registers.Select((r, i) => (r, i)))
        {
            Config? config = null;
            await Wait.Until("a register is read", async () => (config = await clients.ReadAsync(storm.Skep.ControlOf(storm.Members[i % storm.Members.Count]), register)) is not null);
            final[register.Name] = (StormClients.ValueOf(config!), config!.Meta.Version.Index);
            Assert.True(
                config.Meta.Version.Index >= register.AcknowledgedVersion,
                $"{register.Name} is of version {config.Meta.Version.Index}, but a write was acknowledged as version {register.AcknowledgedVersion}");
            Assert.True(LinearizabilityChecker.IsLinearizable(register.History), $"the history of {register.Name} is not linearizable:\n{string.Join('\n', register.History.OrderBy(o => o.Began))}");
        }
        foreach (Daemon member in storm.Members)
        {
            IReadOnlyDictionary<string, (int Value, ulong Version)> own = await storm.AloneAsync(member, () => OwnAsync(storm, member));
            Assert.All(final, f => Assert.True(own.TryGetValue(f.Key, out var has) && has == f.Value, $"{member.Name} has {f.Key} as {has}, the others as {f.Value}"));
            await storm.Skep.ReachableAsync(storm.Members.Count);
        }
    }

    // What a manager answers with a warning is what it has itself.
    private static async Task<IReadOnlyDictionary<string, (int Value, ulong Version)>> OwnAsync(StormCluster storm, Daemon member)
    {
        var own = new Dictionary<string, (int, ulong)>();
        await Wait.Until($"{member.Name}, alone, tells what it has", async () =>
        {
            using AsyncUnaryCall<ListConfigsResponse> call = storm.Skep.ControlOf(member).ListConfigsAsync(
                new() { Filters = new() { NamePrefixes = { "register-" } } }, deadline: DateTime.UtcNow.AddSeconds(15));
            ListConfigsResponse answer = await call;
            if ((await call.ResponseHeadersAsync).GetValue(StormClients.StaleHeader) is null)
            {
                return false;
            }
            own = answer.Configs.ToDictionary(c => c.Spec.Annotations.Name, c => (StormClients.ValueOf(c), c.Meta.Version.Index));
            return true;
        });
        return own;
    }

    private static void Say(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Console.WriteLine(line);
    }
}

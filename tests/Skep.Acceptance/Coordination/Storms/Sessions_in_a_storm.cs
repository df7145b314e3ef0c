using Skep.Acceptance.Harness;
using Skep.Acceptance.Managers.Storms;
using Skep.Coordination.Client;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>
/// The leader of three servers is killed again and again under sessions that hold nodes and locks and watch others. SKEP_STORM_SEED
/// fixes when; SKEP_SOAK says how long it goes on, in seconds (1: five minutes).
/// </summary>
[Collection(nameof(Alone))]
public sealed class Sessions_in_a_storm
{
    private const int Sessions = 500;
    private const int SessionTimeoutMs = 10_000;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task None_is_lost_no_lock_is_held_twice_no_change_is_missed_and_nodes_live_as_long_as_their_sessions()
    {
        int seed = StormLength.Seed;
        var findings = new Findings();
        await using SkepServers servers = await SkepServers.StartAsync(managers: 3);
        var options = new CoordinationClientOptions { Servers = servers.Connect.Split(','), SessionTimeoutMs = SessionTimeoutMs, ConnectTimeout = Calm };
        await using var population = new StormPopulation(options, Sessions, seed, findings);
        var kills = new LeaderKills(servers, new Random(seed), findings);
        try
        {
            await Within("the sessions open", population.OpenAsync());
            findings.Note($"{Sessions} sessions are open");
            using var stop = new CancellationTokenSource();
            Task running = population.RunAsync(stop.Token);
            await kills.RunAsync(StormLength.Value, TimeSpan.FromMilliseconds(SessionTimeoutMs));
            await servers.ServeAsync();
            findings.Note("all serve again");
            await stop.CancelAsync();
            await Within("those who write, lock, come and go end", running);
            await Within("the nodes are written once more", population.AllSeeTheLastAsync(Calm));
            findings.Note("all have seen the last");
            await Within("the nodes of all sessions are looked at", population.CheckNodesAsync());
            Say($"storm of {Sessions} sessions, seed {seed}, {StormLength.Value.TotalSeconds:0} s: {kills.Kills} leaders killed; {population.Summary}");
            findings.MustBeNone();
            Assert.True(kills.Kills > 1, "no storm: the leader was not killed twice");
            await Within("all sessions close", population.CloseAsync());
        }
        catch (Exception e) when (e.GetType().Name != "SkipException")
        {
            throw new InvalidOperationException($"storm of {Sessions} sessions, seed {seed} (SKEP_STORM_SEED={seed} replays it): {e.Message}\n{findings.Trace}\n{await servers.LogsAsync()}", e);
        }
    }

    private static async Task Within(string phase, Task task)
    {
        try
        {
            await task.WaitAsync(Calm * 2);
        }
        catch (TimeoutException e) when (!task.IsCompleted)
        {
            throw new TimeoutException($"timed out after {Calm.TotalSeconds * 2:0} s: {phase}", e);
        }
    }

    private static void Say(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Console.WriteLine(line);
    }
}

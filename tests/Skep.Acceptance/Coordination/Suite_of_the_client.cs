using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>The tests of the .NET client, which run against Debian's ZooKeeper by themselves, run against Skep.</summary>
public sealed class Suite_of_the_client
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly string Program = AppContext.BaseDirectory.Replace("Skep.Acceptance", "Skep.Coordination.Client.Tests", StringComparison.Ordinal) + "Skep.Coordination.Client.Tests";

    [Fact]
    public Task It_holds_for_one_and_for_three_of_Skeps_servers_as_for_ZooKeeper() => Task.WhenAll(HoldsAsync(managers: 1), HoldsAsync(managers: 3));

    // It waits for most of its time, so both go on at once.
    private static async Task HoldsAsync(int managers)
    {
        await using SkepServers servers = await SkepServers.StartAsync(managers);
        Said said = await Shell.RunAsync(
            Program, ["-noColor"], environment: new Dictionary<string, string> { ["SKEP_COORDINATION_SERVER"] = servers.Connect }, patience: Patience);
        Assert.True(said.Exit == 0, $"against {managers} of Skep's servers:\n{said.Output}{said.Errors}\n{await servers.LogsAsync()}");
    }
}

using System.Text.RegularExpressions;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.DataPlane;

/// <summary>Real TCP through a real data plane between namespaces, while a backend dies and comes back.</summary>
public sealed class The_demonstration
{
    [Fact]
    public async Task Connections_go_on_around_a_dead_backend_and_every_backend_sees_its_clients_own_address()
    {
        Programs.Need();
        Said said = await Shell.RunAsync(Programs.Swarmctl, ["dataplane", "demo", "--seconds", "9"], patience: TimeSpan.FromMinutes(3));
        Assert.True(said.Exit == 0, said.Errors + said.Output);
        Assert.Contains("Every backend saw its client's own address.", said.Output, StringComparison.Ordinal);
        Match answered = Regex.Match(said.Output, @"([\d,]+) connections answered \(backend-a ([\d,]+), backend-b ([\d,]+), backend-c ([\d,]+)\)");
        Assert.True(answered.Success, said.Output);
        Assert.All(answered.Groups.Values.Skip(1), g => Assert.NotEqual("0", g.Value));
        Assert.Contains("backend-b is back", said.Output, StringComparison.Ordinal);

        // The busiest client stands first, with about half of all.
        Assert.Matches(@"\n192\.0\.2\.16 +[\d,]+ +(4|5)\d\.\d %", said.Output);
        Assert.DoesNotContain("skep-demo-", (await Shell.RunAsync("ip", ["netns", "list"])).Ok, StringComparison.Ordinal);
    }
}

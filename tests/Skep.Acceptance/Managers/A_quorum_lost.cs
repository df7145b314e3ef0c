using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Managers;

public sealed class A_quorum_lost
{
    private const string StaleHeader = "skep-may-be-stale";

    [Fact]
    public async Task Reads_are_answered_with_a_warning_writes_are_refused_with_what_is_missing_and_one_that_returns_mends_it()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        await c.OkAsync("service", "create", "--name", "before", "--image", "redis", "--replicas", "0");
        Daemon survivor = c.Daemons[2];
        c.Ask(survivor);

        // The read shows that the survivor has what it is to show when it is alone.
        Assert.Contains("before", await c.OkAsync("service", "ls"), StringComparison.Ordinal);
        Daemon[] gone = [c.Daemons[0], c.Daemons[1]];
        await Task.WhenAll(gone.Select(d => d.KillAsync()));

        string warning = "";
        await Wait.Until(
            "a read is answered with a warning",
            async () =>
            {
                using AsyncUnaryCall<ListNodesResponse> call = c.Control.ListNodesAsync(new(), deadline: DateTime.UtcNow.AddSeconds(20));
                warning = (await call.ResponseHeadersAsync).GetValue(StaleHeader) ?? "";
                return warning.Length > 0 && (await call).Nodes.Count == 3;
            },
            c.LogsAsync);
        Assert.Contains("may be out of date", warning, StringComparison.Ordinal);
        AssertNames(gone, warning);
        Said listed = await c.CtlAsync("service", "ls");
        Assert.Contains("before", listed.Ok, StringComparison.Ordinal);
        Assert.StartsWith("Warning: ", listed.Errors, StringComparison.Ordinal);
        AssertNames(gone, listed.Errors);

        Said refused = await c.CtlAsync("service", "create", "--name", "during", "--image", "redis", "--replicas", "0");
        Assert.Equal(255, refused.Exit);
        Assert.Matches("^Error: .*there is no leading manager, so nothing can be changed", refused.Errors);
        Assert.Contains("1 of 3 managers are up and 2 are needed", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("Start them again", refused.Errors, StringComparison.Ordinal);
        AssertNames(gone, refused.Errors);

        gone[0].Start();
        await c.WrittenAsync(() => c.OkAsync("service", "create", "--name", "after", "--image", "redis", "--replicas", "0"));
        string services = await c.OkAsync("service", "ls");
        Assert.Contains("before", services, StringComparison.Ordinal);
        Assert.Contains("after", services, StringComparison.Ordinal);
        Assert.DoesNotContain("during", services, StringComparison.Ordinal);
        using AsyncUnaryCall<ListNodesResponse> again = c.Control.ListNodesAsync(new(), deadline: DateTime.UtcNow.AddSeconds(20));
        Assert.Null((await again.ResponseHeadersAsync).GetValue(StaleHeader));
    }

    private static void AssertNames(IEnumerable<Daemon> missing, string text) => Assert.All(missing, d =>
    {
        Assert.Contains(d.Name, text, StringComparison.Ordinal);
        Assert.Contains(d.Address, text, StringComparison.Ordinal);
    });
}

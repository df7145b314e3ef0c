using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Faults;

public sealed class Removed_nodes
{
    [Fact]
    public async Task A_removed_node_that_lives_loses_its_session_and_cannot_come_back()
    {
        await using SkepCluster c = await SkepCluster.StartAsync(workers: 1);
        Daemon worker = c.Daemons[1];
        Said refused = await c.CtlAsync("node", "remove", worker.Name);
        Assert.Equal(255, refused.Exit);
        Assert.Matches("Error: node .* is not down and can't be removed", refused.Errors);

        string id = (await c.NodeAsync(worker.Name)).Id;
        await c.OkAsync("node", "remove", "--force", worker.Name);
        await Wait.Until("the removed node is told so", () => Task.FromResult(worker.Log.Contains("ermission", StringComparison.Ordinal)), c.LogsAsync);
        Assert.DoesNotContain(id, await c.OkAsync("node", "ls"), StringComparison.Ordinal);

        await worker.DisposeAsync();
        int said = worker.Log.Length;
        worker.Start();
        await Wait.Until("it is refused after a restart, too", () => Task.FromResult(worker.Log[said..].Contains("ermission", StringComparison.Ordinal)), c.LogsAsync);
        Assert.DoesNotContain(id, await c.OkAsync("node", "ls"), StringComparison.Ordinal);
    }
}

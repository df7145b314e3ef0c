using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Refusals;

public sealed class Bad_tokens(OneNode node) : IClassFixture<OneNode>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(node.TellAsync());

    [Theory]
    [InlineData("notatoken")]
    [InlineData("SWMTKN-1-short-short")]
    public async Task A_malformed_one_ends_the_daemon_with_1(string token)
    {
        SkepCluster c = await node.GetAsync();
        Daemon daemon = c.Join("malformed" + token.Length, token);
        Assert.Equal(1, await daemon.EndedAsync());
        Assert.Contains("Error: invalid join token", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_of_another_cluster_is_refused_by_its_fingerprint()
    {
        SkepCluster c = await node.GetAsync();
        Daemon daemon = c.Join("foreign", "SWMTKN-1-" + new string('0', 49) + "x-" + new string('0', 25));
        await RefusedAsync(c, daemon, "remote CA does not match fingerprint. Expected: ");
    }

    [Fact]
    public async Task One_with_a_wrong_secret_is_refused()
    {
        SkepCluster c = await node.GetAsync();
        string token = await c.WorkerTokenAsync();
        Daemon daemon = c.Join("guess", token[..^1] + (token[^1] == '0' ? '1' : '0'));
        await RefusedAsync(c, daemon, "A valid join token is necessary to join this cluster");
    }

    [Fact]
    public async Task One_that_was_rotated_is_refused_and_the_new_one_joins()
    {
        SkepCluster c = await node.GetAsync();
        string old = await c.WorkerTokenAsync();
        string rotated = (await c.OkAsync("cluster", "update", "default", "--rotate-join-token", "worker")).Trim();
        Assert.NotEqual(old, rotated);
        Daemon late = c.Join("late", old);
        await RefusedAsync(c, late, "A valid join token is necessary to join this cluster");
        c.Join("in-time", rotated);
        await Wait.Until(
            "the node with the new token is READY",
            async () => (await c.NodeAsync("in-time")).Status.State == Docker.Swarmkit.V1.NodeStatus.Types.State.Ready, c.LogsAsync);
    }

    private static async Task RefusedAsync(SkepCluster c, Daemon daemon, string words)
    {
        await Wait.Until($"{daemon.Name} is refused with \"{words}\"", () => Task.FromResult(daemon.Log.Contains(words, StringComparison.Ordinal)), () => Task.FromResult(daemon.Log));
        Assert.DoesNotContain(daemon.Name, await c.OkAsync("node", "ls"), StringComparison.Ordinal);
        await daemon.DisposeAsync();
    }
}

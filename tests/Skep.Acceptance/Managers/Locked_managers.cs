using System.Text.RegularExpressions;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Managers;

public sealed partial class Locked_managers
{
    [Fact]
    public async Task Autolock_covers_every_manager_and_a_locked_one_waits_for_its_key()
    {
        await using SkepCluster c = await SkepCluster.StartAsync(workers: 0);
        Daemon first = c.Manager, second = await JoinAsync(c, "node-2"), third = await JoinAsync(c, "node-3");
        Daemon[] all = [first, second, third];
        await c.ReachableAsync(3);
        ILookup<Daemon, string> old = all.SelectMany(d => DataKeyIds(d).Select(id => (d, id))).ToLookup(x => x.d, x => x.id);
        Assert.All(all, d => Assert.NotEmpty(old[d]));

        // Also one that is off meanwhile.
        await third.KillAsync();
        await c.OkAsync("cluster", "update", "default", "--autolock");
        await LockedAsync(c, first, old);
        await LockedAsync(c, second, old);
        third.Start();
        await LockedAsync(c, third, old);
        string key = (await c.OkAsync("cluster", "unlock-key", "default")).Trim();
        Assert.StartsWith("SWMKEY-1-", key, StringComparison.Ordinal);

        await second.KillAsync();
        second.Start();
        await WaitsAsync(c, second);
        Said wrong = await OnAsync(c, second, "SWMKEY-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "cluster", "unlock");
        Assert.NotEqual(0, wrong.Exit);
        Assert.Contains("does not unlock this manager", wrong.Errors, StringComparison.Ordinal);
        await WaitsAsync(c, second);
        await Wait.Until("node-2 takes the right key", async () => (await OnAsync(c, second, key, "cluster", "unlock")).Exit == 0);
        await Wait.Until("node-2 answers", async () => (await OnAsync(c, second, null, "cluster", "ls")).Exit == 0, c.LogsAsync);

        old = all.SelectMany(d => DataKeyIds(d).Select(id => (d, id))).ToLookup(x => x.d, x => x.id);
        await c.OkAsync("cluster", "update", "default", "--rotate-unlock-key");
        foreach (Daemon d in all)
        {
            await LockedAsync(c, d, old);
        }
        string next = (await OnAsync(c, third, null, "cluster", "unlock-key", "default")).Ok.Trim();
        Assert.NotEqual(key, next);

        await third.KillAsync();
        third.Start();
        await WaitsAsync(c, third);
        Assert.NotEqual(0, (await OnAsync(c, third, key, "cluster", "unlock")).Exit);
        third.Signal(Posix.Terminate);
        Assert.Equal(0, await third.EndedAsync());
        third.Start();
        await WaitsAsync(c, third);
        (await OnAsync(c, third, next, "cluster", "unlock")).Ok.ToString();
        await Wait.Until("node-3 answers", async () => (await OnAsync(c, third, null, "cluster", "ls")).Exit == 0, c.LogsAsync);

        await c.OkAsync("cluster", "update", "default", "--autolock=false");
        foreach (Daemon d in all)
        {
            await Wait.Until($"{d.Name}'s key file is open", () => KeyFile(d).StartsWith("-----BEGIN PRIVATE KEY-----", StringComparison.Ordinal));
        }
    }

    private static async Task<Daemon> JoinAsync(SkepCluster c, string name)
    {
        string token = ManagerToken().Match(await c.OkAsync("cluster", "inspect", "default")).Groups[1].Value;
        return c.Join(name, token, "--listen-remote-api", $"127.0.0.1:{SkepCluster.FreePort()}");
    }

    // Nothing of it can be read without the unlock key, nor by the data key that lay beside it before.
    private static Task LockedAsync(SkepCluster c, Daemon d, ILookup<Daemon, string> old) => Wait.Until(
        $"{d.Name}'s key file is locked, and its log under another data key",
        () => Task.FromResult(KeyFile(d) is var text
            && text.StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal)
            && !text.Contains("raft-dek-", StringComparison.Ordinal)
            && DataKeyIds(d) is { Count: 1 } ids
            && !old[d].Contains(ids.Single())),
        c.LogsAsync);

    private static Task WaitsAsync(SkepCluster c, Daemon d) => Wait.Until(
        $"{d.Name} says that it is locked",
        async () => (await OnAsync(c, d, null, "node", "ls")).Errors.StartsWith("Error: this manager is locked; unlock it with: swarmctl cluster unlock", StringComparison.Ordinal),
        c.LogsAsync);

    private static Task<Said> OnAsync(SkepCluster c, Daemon d, string? input, params string[] arguments) =>
        c.CtlWithInputAsync(input, ["--socket", d == c.Manager ? c.Socket : Path.Combine(c.Folder, d.Name + ".d", "swarm.sock"), .. arguments]);

    private static string KeyFile(Daemon d) => Posix.Read(Path.Combine(d.StateDirectory, "certificates", "swarm-node.key"));

    /// <summary>The ids of the data keys that the files of a manager's log are under (docs/adr/0002-log-format.md).</summary>
    private static HashSet<string> DataKeyIds(Daemon d) =>
        [.. Directory.EnumerateFiles(Path.Combine(d.StateDirectory, "raft"))
            .Where(static f => f.EndsWith(".seg", StringComparison.Ordinal) || f.EndsWith(".snap", StringComparison.Ordinal))
            .Select(static f => Convert.ToHexString(File.ReadAllBytes(f).AsSpan(40, 16)))];

    [GeneratedRegex(@"Manager: (SWMTKN-\S+)")]
    private static partial Regex ManagerToken();
}

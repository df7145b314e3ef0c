using System.Text;
using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests;

/// <summary>What the package's README shows, compiled and run; a test holds the two to each other.</summary>
public sealed class Samples(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public void The_readme_shows_what_runs_here()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Skep.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests do not run below the folder of Skep.slnx");
        }
        string here = Trimmed(File.ReadAllText(Path.Combine(folder, "tests/Skep.Coordination.Client.Tests/Samples.cs")));
        string[] parts = File.ReadAllText(Path.Combine(folder, "src/Skep.Coordination.Client/README.md")).Split("```");
        string[] fences = [.. parts.Where((_, i) => i % 2 == 1)];
        Assert.Equal(7, fences.Length);
        Assert.All(fences, f => Assert.Contains(Trimmed(f["csharp\n".Length..]), here, StringComparison.Ordinal));

        static string Trimmed(string text) => string.Join('\n', text.Split('\n').Select(l => l.Trim())).Trim();
    }

    [Fact]
    public async Task Connect_write_read_and_watch()
    {
        string connectString = $"{ConnectString}{Root}";
        await using CoordinationClient client = await CoordinationClient.ConnectAsync(connectString);

        await client.CreateAsync("/config", "one"u8.ToArray());
        NodeData config = await client.GetDataAsync("/config");
        await client.SetDataAsync("/config", "two"u8.ToArray(), config.Stat.Version);

        await client.MultiAsync(new Transaction()
            .Check("/config", 1)
            .Create("/config/colour", "blue"u8.ToArray())
            .Create("/config/worker-", mode: CreateMode.EphemeralSequential));

        Assert.Equal("one", Text(config.Data));
        Assert.Equal(2, (await client.GetChildrenAsync("/config")).Children.Count);
        await CreateAsync(client);
        await WatchAsync(client).Within("the watching sample");
        await WatchOnceAsync(client, TestContext.Current.CancellationToken).Within("the one-shot sample");
    }

    [Fact]
    public async Task Hold_lead_and_keep()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/services");
        await client.CreateAsync("/services/one", "10.0.0.1"u8.ToArray());
        await HoldAsync(client, new Storage(), TestContext.Current.CancellationToken).Within("the lock's sample");
        await LeadAsync(client, TestContext.Current.CancellationToken).Within("the election's sample");
        await KeepAsync(client, TestContext.Current.CancellationToken).Within("the tree's sample");
    }

    private static async Task CreateAsync(CoordinationClient client)
    {
        try
        {
            await client.CreateAsync("/order-17");
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NodeExists)
        {
            // Somebody was first.
        }
        catch (ConnectionLossException)
        {
            // Done or not: look before doing it again.
        }
        catch (SessionExpiredException)
        {
            // Ephemeral nodes and watches are gone. Connect a new client.
        }
    }

    private static async Task WatchAsync(CoordinationClient client)
    {
        using var ended = new CancellationTokenSource();
        CancellationToken ct = ended.Token;
        Task watching = FollowAsync();
        await client.SetDataAsync("/config", Bytes("three"), ct: CancellationToken.None);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);

        async Task FollowAsync()
        {
            await using WatchStream watch = await client.OpenWatchAsync("/config", WatchMode.PersistentRecursive);
            NodeData now = await client.GetDataAsync("/config");
            await foreach (WatchedEvent e in watch.WithCancellation(ct))
            {
                if (e.Type is WatchedEventType.DataChanged or WatchedEventType.Reconnected)
                {
                    now = await client.GetDataAsync("/config", ct);
                }
            }
        }
    }

    private static async Task WatchOnceAsync(CoordinationClient client, CancellationToken ct)
    {
        Task waiting = FollowAsync();
        await client.SetDataAsync("/config", Bytes("four"), ct: CancellationToken.None);
        await waiting;

        async Task FollowAsync()
        {
            using Watched<NodeData> read = await client.GetDataAndWatchAsync("/config", ct);
            WatchedEvent change = await read.Changed.WaitAsync(ct);
        }
    }

    private static async Task HoldAsync(CoordinationClient client, Storage storage, CancellationToken ct)
    {
        var door = new DistributedLock(client, "/locks/door");
        await using LockHandle held = await door.AcquireAsync(ct);
        await storage.WriteAsync("state", fencing: held.FencingToken, held.LostToken);
    }

    private static async Task LeadAsync(CoordinationClient client, CancellationToken ct)
    {
        var election = new LeaderElection(client, "/election", id: "node-1");
        await using LockHandle leading = await election.CampaignAsync(ct);
        await LeadAsync(leading.FencingToken, leading.LostToken);

        static Task LeadAsync(long token, CancellationToken lost) => Task.CompletedTask;
    }

    private static async Task KeepAsync(CoordinationClient client, CancellationToken ct)
    {
        await using CachedTree tree = await CachedTree.StartAsync(client, "/services", ct: ct);
        foreach (string name in tree.GetChildren("/services"))
        {
            if (tree.TryGet($"/services/{name}", out NodeData service))
            {
                Console.WriteLine($"{name}: {Encoding.UTF8.GetString(service.Data.Span)}");
            }
        }
    }

    private sealed class Storage
    {
        private long _highest;

        public Task WriteAsync(string what, long fencing, CancellationToken ct)
        {
            ct.ThrowIfCancellationRequested();
            _highest = fencing >= _highest ? fencing : throw new InvalidOperationException($"{what} was written by a later holder");
            return Task.CompletedTask;
        }
    }
}

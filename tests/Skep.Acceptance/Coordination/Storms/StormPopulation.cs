using Skep.Acceptance.Harness;
using Skep.Coordination.Client;
using Skep.Coordination.Client.Recipes;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>All sessions of a storm and what they do: some write, some lock, all watch, and some make room for others.</summary>
internal sealed class StormPopulation(CoordinationClientOptions options, int sessions, int seed, Findings findings) : IAsyncDisposable
{
    private const int Nodes = 10;
    private const int Locks = 6;
    private const int Lockers = 60;
    private const int OpenedAtOnce = 20;
    private const int LongestWorkMs = 30;
    private static readonly TimeSpan BetweenClosings = TimeSpan.FromMilliseconds(250);

    private readonly WatchedNode[] nodes = [.. Enumerable.Range(0, Nodes).Select(i => new WatchedNode($"/watched-{i}"))];
    private readonly GuardedResource[] resources = [.. Enumerable.Range(0, Locks).Select(i => new GuardedResource($"lock {i}", findings))];
    private readonly StormSession[] open = new StormSession[sessions];
    private int opened;
    private int closedReads;

    public int Closed => opened - sessions;

    public int Refused => resources.Sum(r => r.Refused);

    public string Summary => $"{nodes.Sum(n => n.Writes)} writes of {Nodes} nodes (longest gap {nodes.Max(n => n.LongestGap).TotalSeconds:0.0} s), "
        + $"{open.Sum(s => s.Reads) + closedReads} reads after events, {resources.Sum(r => r.Holders)} holders of {Locks} locks, {Refused} refused by their tokens, "
        + $"{Closed} sessions closed and opened; longest without a server {open.Max(s => s.LongestAlone).TotalSeconds:0.0} s";

    /// <summary>The names of those that live.</summary>
    public IEnumerable<string> Names => open.Select(s => s.Name);

    /// <summary>Opens all sessions.</summary>
    public async Task OpenAsync()
    {
        await using (CoordinationClient first = await CoordinationClient.ConnectAsync(options))
        {
            await first.CreateAsync(StormSession.Folder);
            foreach (WatchedNode node in nodes)
            {
                await node.MakeAsync(first);
            }
        }
        await Parallel.ForEachAsync(Enumerable.Range(0, sessions), new ParallelOptions { MaxDegreeOfParallelism = OpenedAtOnce }, async (place, _) => await OpenAsync(place));
    }

    /// <summary>Writes, locks and comes and goes until it is told to stop.</summary>
    public Task RunAsync(CancellationToken stop)
    {
        IEnumerable<Task> writing = nodes.Select((node, i) => Task.Run(() => node.WriteAsync(open[i].Client, stop), CancellationToken.None));
        IEnumerable<Task> locking = Enumerable.Range(Nodes, Lockers).Select(i => Task.Run(() => LockAsync(open[i], i, stop), CancellationToken.None));
        return Task.WhenAll([.. writing, .. locking, ComeAndGoAsync(stop)]);
    }

    /// <summary>In the calm: writes each node once more and waits until all have seen it, by their watches alone.</summary>
    public async Task AllSeeTheLastAsync(TimeSpan within)
    {
        int[] last = await Task.WhenAll(nodes.Select((node, i) => node.WriteLastAsync(open[i].Client, findings)));
        try
        {
            await Task.WhenAll(open.Select((session, place) => session.SeenAsync(last[place % Nodes]))).WaitAsync(within);
        }
        catch (TimeoutException)
        {
            foreach ((StormSession session, int place) in open.Select((s, i) => (s, i)).Where(s => !s.s.SeenAsync(last[s.i % Nodes]).IsCompleted))
            {
                findings.Fault($"{session.Standing}, which is of version {last[place % Nodes]} for {within.TotalSeconds:0} s");
            }
        }
    }

    /// <summary>Each session's node is there, and at each server there are these nodes and no others.</summary>
    public async Task CheckNodesAsync()
    {
        await Task.WhenAll(open.Select(s => s.CheckAsync()));
        foreach (string server in options.Servers)
        {
            // Of a session that could not be closed, since no server led, it goes when the session's time is over.
            string others = "";
            await Wait.Until(
                $"the nodes of closed sessions are gone at {server}",
                async () =>
                {
                    IReadOnlyList<string> there = await NodesAtAsync(server);
                    if (Names.Except(there).ToList() is { Count: > 0 } missing)
                    {
                        Assert.Fail($"at {server} the nodes of living sessions are missing: {string.Join(' ', missing.Order())}");
                    }
                    others = string.Join(' ', there.Except(Names).Order());
                    return others.Length == 0;
                },
                () => Task.FromResult(others));
        }
    }

    /// <summary>Closes all, in the calm; their nodes are gone then.</summary>
    public async Task CloseAsync()
    {
        await DisposeAsync();
        foreach (string server in options.Servers)
        {
            Assert.Empty(await NodesAtAsync(server));
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(open.Where(s => s is not null).Select(s => s.DisposeAsync().AsTask()));

    private async Task<IReadOnlyList<string>> NodesAtAsync(string server)
    {
        await using CoordinationClient client = await CoordinationClient.ConnectAsync(options with { Servers = [server] });
        await client.SyncAsync("/");
        return (await client.GetChildrenAsync(StormSession.Folder)).Children;
    }

    private async Task OpenAsync(int place) =>
        open[place] = await StormSession.OpenAsync(options, Interlocked.Increment(ref opened) - 1, nodes[place % Nodes], findings);

    // Those who neither write nor lock close, one after the other, and another opens.
    private async Task ComeAndGoAsync(CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            int place = random.Next(Nodes + Lockers, sessions);
            closedReads += open[place].Reads;
            await open[place].DisposeAsync();
            await OpenAsync(place);
            await Task.Delay(BetweenClosings, CancellationToken.None);
        }
    }

    private async Task LockAsync(StormSession session, int number, CancellationToken stop)
    {
        var random = new Random(seed + number);
        GuardedResource resource = resources[number % Locks];
        var door = new DistributedLock(session.Client, $"/locks/{number % Locks}");
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using LockHandle held = await door.AcquireAsync(stop);
                resource.Enter(held);
                await Task.Delay(random.Next(LongestWorkMs), CancellationToken.None);
                resource.Write(held);
                resource.Leave(held);
            }
            catch (OperationCanceledException)
            {
                // Enough.
            }
            catch (Exception e)
            {
                findings.Fault($"session {session.Name}, which locks, was told: {e.Message}");
                return;
            }
        }
    }
}

using System.Diagnostics;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>One session in a storm: it has an ephemeral node, and reads a watched node when it is told of a change, never otherwise.</summary>
internal sealed class StormSession : IAsyncDisposable
{
    /// <summary>Where the ephemeral nodes are.</summary>
    public const string Folder = "/live";

    private readonly Findings findings;
    private readonly WatchedNode watched;
    private readonly CancellationTokenSource over = new();
    private readonly Lock gate = new();
    private readonly List<(int Version, TaskCompletionSource Seen)> awaited = [];
    private readonly int number;
    private Task following = Task.CompletedTask;
    private int seenVersion = -1;

    private StormSession(CoordinationClient client, int number, WatchedNode watched, Findings findings)
    {
        (Client, this.number, this.watched, this.findings) = (client, number, watched, findings);
    }

    public CoordinationClient Client { get; }

    /// <summary>Its ephemeral node's name below <see cref="Folder"/>.</summary>
    public string Name => $"{number:0000}";

    /// <summary>How often it read the watched node.</summary>
    public int Reads { get; private set; }

    /// <summary>The longest time that it was without a server.</summary>
    public TimeSpan LongestAlone { get; private set; }

    public static async Task<StormSession> OpenAsync(CoordinationClientOptions options, int number, WatchedNode watched, Findings findings)
    {
        var session = new StormSession(await CoordinationClient.ConnectAsync(options), number, watched, findings);
        await session.MakeAsync();
        session.following = Task.WhenAll(session.FollowStateAsync(), session.FollowNodeAsync(isPersistent: number % 4 == 0));
        return session;
    }

    /// <summary>Completes when it has seen a version of the watched node, or a later one.</summary>
    public Task SeenAsync(int version)
    {
        lock (gate)
        {
            if (seenVersion >= version)
            {
                return Task.CompletedTask;
            }
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((version, seen));
            return seen.Task;
        }
    }

    /// <summary>What it saw last, for the message of a watcher that waits.</summary>
    public string Standing => $"session {Name} ({Client.SessionId:x}, {Client.State}) has seen version {seenVersion} of {watched.Path}";

    /// <summary>Whether its ephemeral node is there and its own.</summary>
    public async Task CheckAsync()
    {
        Stat? own = await Client.ExistsAsync($"{Folder}/{Name}");
        if (own?.EphemeralOwner != Client.SessionId)
        {
            findings.Fault($"session {Name} ({Client.SessionId:x}) lives, but its node is {(own is null ? "gone" : $"{own.Value.EphemeralOwner:x}'s")}");
        }
    }

    /// <summary>Closes the session, as clients do that are done.</summary>
    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await following;
        await Client.DisposeAsync();
    }

    private async Task MakeAsync()
    {
        while (true)
        {
            try
            {
                await Client.CreateAsync($"{Folder}/{Name}", mode: CreateMode.Ephemeral);
                return;
            }
            catch (ConnectionLossException)
            {
                // Made or not: the next attempt tells.
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NodeExists)
            {
                await CheckAsync();
                return;
            }
        }
    }

    private async Task FollowStateAsync()
    {
        long alone = 0;
        try
        {
            await foreach (ConnectionState state in Client.StateChanges.WithCancellation(over.Token))
            {
                TimeSpan since = alone == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(alone);
                LongestAlone = since > LongestAlone ? since : LongestAlone;
                alone = state == ConnectionState.Suspended ? Stopwatch.GetTimestamp() : 0;
                if (state is ConnectionState.Expired or ConnectionState.Closed)
                {
                    findings.Fault($"session {Name} ({Client.SessionId:x}) of a living client is {state} after {since.TotalSeconds:0.00} s without a server; its timeout is {Client.SessionTimeoutMs} ms");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closed by the test.
        }
    }

    private async Task FollowNodeAsync(bool isPersistent)
    {
        try
        {
            await (isPersistent ? FollowStreamAsync() : FollowOneShotsAsync());
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Closed by the test.
        }
        catch (SessionExpiredException)
        {
            // The state tells.
        }
        catch (Exception e)
        {
            findings.Fault($"session {Name}: its watch on {watched.Path} ended: {e.Message}");
        }
    }

    private async Task FollowOneShotsAsync()
    {
        while (true)
        {
            int before = seenVersion;
            using Watched<NodeData> read = await Client.GetDataAndWatchAsync(watched.Path, over.Token);
            See(read.Value.Stat.Version);
            if (read.Value.Stat.Version == before)
            {
                findings.Fault($"session {Name} was told of a change of {watched.Path}, and then read version {before} as before it");
            }
            await read.Changed.WaitAsync(over.Token);
        }
    }

    private async Task FollowStreamAsync()
    {
        await using WatchStream watch = await Client.OpenWatchAsync(watched.Path, WatchMode.Persistent, ct: over.Token);
        See((await Client.GetDataAsync(watched.Path, over.Token)).Stat.Version);
        await foreach (WatchedEvent _ in watch.WithCancellation(over.Token))
        {
            See((await Client.GetDataAsync(watched.Path, over.Token)).Stat.Version);
        }
    }

    private void See(int version)
    {
        lock (gate)
        {
            Reads++;
            if (version < seenVersion)
            {
                findings.Fault($"session {Name} read version {version} of {watched.Path} after version {seenVersion}");
            }
            seenVersion = Math.Max(seenVersion, version);
            foreach ((_, TaskCompletionSource seen) in awaited.Where(a => a.Version <= version))
            {
                seen.TrySetResult();
            }
        }
    }
}

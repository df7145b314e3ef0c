using System.Diagnostics;
using System.Text;
using Skep.Coordination.Client;

namespace Skep.Bench.Consistency;

/// <summary>A server is cut off from the others, which go on: what reads return there, a newer value having been acknowledged elsewhere.</summary>
internal static class PartitionTable
{
    private const int SessionTimeoutMs = 12_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly AuthInfo Linearizable = new("skep", "reads=linearizable"u8.ToArray());

    public static async Task RunAsync(Servers servers, Network network, CancellationToken ct)
    {
        Console.WriteLine($"\ncut off, and 'new' acknowledged by the others; sessions with a time-out of {SessionTimeoutMs / 1000} s\n");
        Console.WriteLine("| cut off | read | returned |\n|---|---|---|");
        int leader = await servers.LeaderAsync(ct);
        await CutAsync("a follower", (leader + 1) % 3, servers, network, ct);
        await CutAsync("the leader", await servers.LeaderAsync(ct), servers, network, ct);
    }

    private static async Task CutAsync(string name, int victim, Servers servers, Network network, CancellationToken ct)
    {
        string path = $"/cut-{victim}-{name[^1]}";
        int[] others = [.. Enumerable.Range(0, 3).Where(i => i != victim)];
        Task<CoordinationClient> At(Func<CoordinationClientOptions, CoordinationClientOptions> change) =>
            servers.ConnectAsync([victim], o => change(o with { SessionTimeoutMs = SessionTimeoutMs }), ct);
        await using CoordinationClient writer = await servers.ConnectAsync(others, null, ct);
        await using CoordinationClient plain = await At(static o => o);
        await using CoordinationClient syncing = await At(static o => o);
        await using CoordinationClient linear = await At(static o => o with { Auth = [Linearizable] });
        await writer.CreateAsync(path, "old"u8.ToArray(), ct: ct);
        await plain.SyncAsync(path, ct);

        await network.IsolateAsync(victim);
        await WriteAsync(writer, path, ct);
        Task<string> behind = TellAsync(syncing, async () =>
        {
            await syncing.SyncAsync(path, ct);
            return await syncing.GetDataAsync(path, ct);
        });
        Task<string> linearRead = TellAsync(linear, () => linear.GetDataAsync(path, ct));
        Console.WriteLine($"| {name} | plain | {await StaleAsync(plain, path, ct)} |");
        Console.WriteLine($"| {name} | sync, then read | {await behind} |");
        Console.WriteLine($"| {name} | linearizable | {await linearRead} |");
        await using (CoordinationClient readOnly = await At(static o => o with { ReadOnlyAllowed = true }))
        {
            string told = await TellAsync(readOnly, () => readOnly.GetDataAsync(path, ct));
            Console.WriteLine($"| {name} | in a new session that allows read-only | {told}; the session is {readOnly.State} |");
        }

        await network.HealAsync();
        long healed = Stopwatch.GetTimestamp();
        string after = Encoding.UTF8.GetString((await plain.GetDataAsync(path, ct)).Data.Span);
        Console.WriteLine($"| {name}, until now | plain, in the session that read 'old' | '{after}', {Stopwatch.GetElapsedTime(healed).TotalSeconds:0.0} s after the network is whole |");
        await servers.LeaderAsync(ct);
    }

    // Until the others have agreed on it: where the leader is cut off, they elect one first.
    private static async Task WriteAsync(CoordinationClient writer, string path, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await writer.SetDataAsync(path, "new"u8.ToArray(), ct: ct);
                return;
            }
            catch (ConnectionLossException)
            {
                // Done or not: once more does no harm.
            }
        }
    }

    private static async Task<string> StaleAsync(CoordinationClient client, string path, CancellationToken ct)
    {
        long began = Stopwatch.GetTimestamp();
        TimeSpan last = TimeSpan.Zero;
        int reads = 0;
        try
        {
            while (Encoding.UTF8.GetString((await AnswerAsync(client, client.GetDataAsync(path, ct))).Data.Span) == "old")
            {
                last = Stopwatch.GetElapsedTime(began);
                reads++;
                await Task.Delay(Pause, ct);
            }
            throw new InvalidOperationException("a server that is cut off returned what it cannot know");
        }
        catch (TimeoutException)
        {
            return $"'old', {reads} times, up to {last.TotalSeconds:0.0} s after 'new' was acknowledged; then the connection was closed";
        }
    }

    /// <exception cref="TimeoutException">The connection was lost before the answer; the client would go on and wait for another.</exception>
    private static async Task<NodeData> AnswerAsync(CoordinationClient client, Task<NodeData> read)
    {
        using var answered = new CancellationTokenSource();
        Task lost = LostAsync();
        if (await Task.WhenAny(read, lost) == lost)
        {
            throw new TimeoutException("the connection was lost");
        }
        await answered.CancelAsync();
        return await read;

        async Task LostAsync()
        {
            await foreach (ConnectionState state in client.StateChanges.WithCancellation(answered.Token))
            {
                if (state is not (ConnectionState.Connected or ConnectionState.ConnectedReadOnly))
                {
                    return;
                }
            }
        }
    }

    private static async Task<string> TellAsync(CoordinationClient client, Func<Task<NodeData>> read)
    {
        long began = Stopwatch.GetTimestamp();
        try
        {
            return $"'{Encoding.UTF8.GetString((await AnswerAsync(client, read())).Data.Span)}' after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s";
        }
        catch (TimeoutException)
        {
            return $"nothing: no answer, and the connection was closed after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s";
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Bench.Cluster;

namespace Skep.Bench.FaultTolerance;

/// <summary>How long writes stand still when the leader is killed, and whether any that was acknowledged is lost.</summary>
internal static class KillTable
{
    private const int Writers = 4;
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <returns>How many acknowledged writes are lost.</returns>
    public static async Task<int> RunAsync(int members, int kills)
    {
        await using ManagerGroup group = await ManagerGroup.StartAsync(members);
        var acknowledged = new ConcurrentDictionary<string, bool>();
        using var stop = new CancellationTokenSource();
        long lastBegan = 0, lastEnded = 0;
        var gate = new Lock();
        Task[] writers = [.. Enumerable.Range(0, Writers).Select(i => Task.Run(() => WriteAsync(i)))];
        var seconds = new List<double>();
        await UntilWrittenAsync(Stopwatch.GetTimestamp());
        for (int kill = 0; kill < kills; kill++)
        {
            int leader = await group.LeaderAsync();
            group.Kill(leader);
            long killed = Stopwatch.GetTimestamp();
            seconds.Add(Stopwatch.GetElapsedTime(killed, await UntilWrittenAsync(killed)).TotalSeconds);
            group.Start(leader);

            // Another kill before it has its part again could leave no majority.
            await group.WholeAsync();
        }
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        HashSet<string> there = [.. (await group.ControlOf(0).ListConfigsAsync(new(), deadline: DateTime.UtcNow.AddSeconds(60))).Configs.Select(static c => c.Spec.Annotations.Name)];
        int lost = acknowledged.Keys.Count(name => !there.Contains(name));
        seconds.Sort();
        Console.WriteLine(
            $"| {members} | {kills} | {seconds[seconds.Count / 2]:0.00} s | {seconds[(int)Math.Ceiling(0.99 * seconds.Count) - 1]:0.00} s | {seconds[^1]:0.00} s | {acknowledged.Count:N0} | {lost} |");
        return lost;

        async Task WriteAsync(int writer)
        {
            var random = new Random(writer);
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                string name = $"w{writer}-{i}";
                var spec = new ConfigSpec { Annotations = new() { Name = name }, Data = ByteString.CopyFromUtf8(name) };
                long began = Stopwatch.GetTimestamp();
                try
                {
                    await group.ControlOf(random.Next(members)).CreateConfigAsync(new() { Spec = spec }, deadline: DateTime.UtcNow.AddSeconds(5));
                    acknowledged[name] = true;
                    lock (gate)
                    {
                        if (began > lastBegan)
                        {
                            (lastBegan, lastEnded) = (began, Stopwatch.GetTimestamp());
                        }
                    }
                }
                catch (RpcException)
                {
                    // Its fate is not known, so it does not count; the next has another name.
                }
                await Task.Delay(Pause);
            }
        }

        // When the first write that began after a moment was acknowledged.
        async Task<long> UntilWrittenAsync(long moment)
        {
            long ended = 0;
            await Machine.UntilAsync("a write", Recovery, TimeSpan.FromMilliseconds(2), () =>
            {
                lock (gate)
                {
                    ended = lastEnded;
                    return Task.FromResult(lastBegan > moment);
                }
            });
            return ended;
        }
    }
}

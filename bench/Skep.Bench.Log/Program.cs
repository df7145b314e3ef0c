// Proposals a second through a group of one voter with real fdatasync, and how many syncs they shared.
// usage: Skep.Bench.Log [folder on the disk to measure] [seconds a row]
using System.Diagnostics;
using System.Globalization;
using Skep.Bench.Log;
using Skep.Raft;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const int PayloadSizeBytes = 128;
var parent = args.Length > 0 ? args[0] : Path.GetTempPath();
var seconds = args.Length > 1 ? double.Parse(args[1]) : 5;
var folder = Path.Combine(parent, $"skep-bench-log-{Environment.ProcessId}");

try
{
    var bare = BareSync.Measure(folder, TimeSpan.FromSeconds(Math.Min(seconds, 2)));
    Console.WriteLine($"bare write of one record and fdatasync, one thread: {bare:N0} a second");
    Console.WriteLine($"{"callers",8} {"proposals/s",14} {"syncs/s",10} {"per sync",9} {"p50 ms",8} {"p99 ms",8} {"of bare",9}");
    foreach (var callers in new[] { 1, 64, 512 })
    {
        Directory.Delete(folder, recursive: true);
        var self = new RaftMember(1, "");
        await using var host = await RaftHost.OpenAsync(new RaftHostOptions
        {
            Folder = folder,
            DataKey = new byte[32],
            Member = self,
            Dial = static (_, _) => throw new IOException("there is nobody else"),
        });
        var group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = 1, Founders = [self] }, new NullMachine());
        await group.WaitForAsync(static s => s.IsReady);
        await RunAsync(group, callers, TimeSpan.FromSeconds(1));
        var syncs = group.Metrics.Syncs;
        var (count, elapsed, times) = await RunAsync(group, callers, TimeSpan.FromSeconds(seconds));
        syncs = group.Metrics.Syncs - syncs;
        times.Sort();
        Console.WriteLine(
            $"{callers,8} {count / elapsed.TotalSeconds,14:N0} {syncs / elapsed.TotalSeconds,10:N0} {(double)count / syncs,9:N1} " +
            $"{Milliseconds(times[times.Count / 2]),8:N2} {Milliseconds(times[times.Count * 99 / 100]),8:N2} {count / elapsed.TotalSeconds / bare,8:N1}x");
    }
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;

static async Task<(long Count, TimeSpan Elapsed, List<long> Times)> RunAsync(ReplicaGroup group, int callers, TimeSpan duration)
{
    var began = Stopwatch.GetTimestamp();
    var end = began + (long)(duration.TotalSeconds * Stopwatch.Frequency);
    var results = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
    {
        var payload = new byte[PayloadSizeBytes];
        var times = new List<long>();
        while (Stopwatch.GetTimestamp() is var start && start < end)
        {
            await group.ProposeAsync(payload);
            times.Add(Stopwatch.GetTimestamp() - start);
        }

        return times;
    })));
    return (results.Sum(r => (long)r.Count), Stopwatch.GetElapsedTime(began), [.. results.SelectMany(r => r)]);
}

using System.Diagnostics;
using Skep.Raft;

namespace Skep.Bench.Raft;

/// <summary>How long a member that has no snapshot needs to open its log and to apply all of it.</summary>
internal static class Restart
{
    private const int Outstanding = 512;

    public static async Task RunAsync(string parent, int sizeMiB)
    {
        Console.WriteLine($"a group of one with a log of {sizeMiB} MiB and no snapshot, in the page cache; load {Loopback.Load} when it began");
        foreach (int commandBytes in (int[])[1024, 128])
        {
            string folder = Path.Combine(parent, $"skep-bench-restart-{Environment.ProcessId}");
            try
            {
                long count = (long)sizeMiB * 1024 * 1024 / (commandBytes + 72);
                await WriteAsync(folder, commandBytes, count);
                GC.Collect();
                var applied = new Counter();
                double cpu = Loopback.CpuSeconds(Environment.ProcessId);
                long began = Stopwatch.GetTimestamp();
                await using RaftHost host = await OpenAsync(folder);
                double opened = Stopwatch.GetElapsedTime(began).TotalSeconds;
                await using ReplicaGroup group = await host.OpenGroupAsync(Options, applied);
                double taken = Stopwatch.GetElapsedTime(began).TotalSeconds;
                await group.WaitForAsync(static s => s.Role == ReplicaRole.Leader && s.AppliedIndex == s.LastIndex);
                double done = Stopwatch.GetElapsedTime(began).TotalSeconds;
                Console.WriteLine($"commands of {commandBytes,4} bytes, {count,9:N0} of them: log opened after {opened:0.00} s, group open after {taken:0.00} s, {applied.Count:N0} applied after {done:0.00} s, {Loopback.CpuSeconds(Environment.ProcessId) - cpu:0.0} s of processor time");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static ReplicaGroupOptions Options => new() { GroupId = 1, Founders = [new RaftMember(1, "")], SnapshotEveryEntries = ulong.MaxValue / 2 };

    private static Task<RaftHost> OpenAsync(string folder) => RaftHost.OpenAsync(new RaftHostOptions
    {
        Folder = folder,
        DataKey = new byte[32],
        Member = new RaftMember(1, ""),
        Dial = static (_, _) => Task.FromException<Stream>(new IOException("there is nobody else")),
    });

    private static async Task WriteAsync(string folder, int commandBytes, long count)
    {
        await using RaftHost host = await OpenAsync(folder);
        await using ReplicaGroup group = await host.OpenGroupAsync(Options, new Counter());
        await group.WaitForAsync(static s => s.Role == ReplicaRole.Leader && s.AppliedIndex == s.LastIndex);
        long left = count;
        byte[] command = new byte[commandBytes];
        await Task.WhenAll(Enumerable.Range(0, Outstanding).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await group.ProposeAsync(command);
            }
        })));
    }

    private sealed class Counter : IStateMachine
    {
        public long Count { get; private set; }

        public void Apply(ulong index, ReadOnlyMemory<byte> command) => Count++;

        public Func<Stream, CancellationToken, Task> CaptureSnapshot() => static (_, _) => Task.CompletedTask;

        public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct) => Task.CompletedTask;
    }
}

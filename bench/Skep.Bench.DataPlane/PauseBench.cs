using System.Diagnostics;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Native;

namespace Skep.Bench.DataPlane;

/// <summary>
/// How long a packet waits at a steady rate: bursts of 32 are due at equal times, and a round that comes late makes all that are due by then wait.
/// Another thread allocates as a data plane does whose socket is asked ten times a second, so that the collector's pauses are in it.
/// </summary>
internal static class PauseBench
{
    private const int Burst = 32;
    private const double BarUs = 50;
    private const int BucketsPerUs = 10;
    private const int LongestUs = 100_000;

    /// <param name="lasting">How long.</param>
    /// <param name="mpps">How fast packets come; the generator takes its share of the core.</param>
    public static void Run(TimeSpan lasting, double mpps)
    {
        // On a thread of its own: threads inherit the core of the one that starts them, and nobody else is to be on this.
        using var stop = new CancellationTokenSource();
        var other = new Thread(() => Allocate(stop.Token));
        other.Start();
        var worker = new Thread(() => Work(lasting, mpps));
        worker.Start();
        worker.Join();
        stop.Cancel();
        other.Join();
    }

    private static void Work(TimeSpan lasting, double mpps)
    {
        int core = Environment.ProcessorCount - 1;
        Affinity.PinTo(core);
        using var rig = new BenchRig(new Case("pauses", 100_000, BalanceMode.Nat, Burst, null, Sketches: true), new MemoryWire(Burst));
        rig.Open();
        rig.Run(5_000_000);
        var waits = new Waits();
        string before = Machine(core, lasting / 2, mpps);
        Action burst = () => rig.RunBurst();
        int collections = GC.CollectionCount(0);
        TimeSpan paused = GC.GetTotalPauseDuration();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Measure(waits, lasting, mpps, burst);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Console.WriteLine($"{waits.Bursts * Burst / 1e6:F0} M packets in {lasting.TotalSeconds:F0} s at {mpps} Mpps, 100 000 flows, sketches; {GC.CollectionCount(0) - collections} collections, {(GC.GetTotalPauseDuration() - paused).TotalMilliseconds:F1} ms paused in all; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
        if (waits.LateTicks > Stopwatch.Frequency / 10)
        {
            Console.WriteLine($"this core does not move {mpps} Mpps, generator included: the backlog grew to the end, and the waits say nothing but that");
        }
        Console.WriteLine($"a packet waits: {waits.Tell()}; {(waits.Us(0.999) < BarUs ? "met" : "missed")}, bar {BarUs} µs for p99.9");
        Console.WriteLine($"the machine alone, a loop in C that touches memory: {before}; afterwards {Machine(core, lasting / 2, mpps)}");
        Console.WriteLine($"allocated by the worker while measuring: {allocated} bytes");
    }

    private static string Machine(int core, TimeSpan lasting, double mpps)
    {
        string program = Path.Combine(Path.GetTempPath(), $"skep-stalls-{Environment.ProcessId}");
        try
        {
            using (Process compiler = Process.Start("clang", ["-O2", "-o", program, Path.Combine(AppContext.BaseDirectory, "stalls.c")]))
            {
                compiler.WaitForExit();
            }
            using Process process = Process.Start(new ProcessStartInfo(program, [$"{core}", $"{lasting.TotalSeconds}", $"{mpps}"]) { RedirectStandardOutput = true })!;
            return process.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "not measured, there is no clang here (apt-get install clang)";
        }
        finally
        {
            File.Delete(program);
        }
    }

    // Bursts are due at equal times; one that comes late holds up all that are due by then.
    private static void Measure(Waits waits, TimeSpan lasting, double mpps, Action burst)
    {
        long dueTicks = (long)(Burst / mpps / 1e6 * Stopwatch.Frequency);
        long start = Stopwatch.GetTimestamp(), end = start + (long)(lasting.TotalSeconds * Stopwatch.Frequency), due = start;
        for (; due < end; due += dueTicks)
        {
            while (Stopwatch.GetTimestamp() < due)
            {
                Thread.SpinWait(1);
            }
            burst();
            waits.Add(Stopwatch.GetTimestamp() - due);
        }
        waits.LateTicks = Stopwatch.GetTimestamp() - due;
    }

    private sealed class Waits
    {
        private readonly long[] _buckets = new long[LongestUs * BucketsPerUs + 1];
        private long _worstTicks;

        public long Bursts { get; private set; }

        public long LateTicks { get; set; }

        public void Add(long ticks)
        {
            _worstTicks = Math.Max(_worstTicks, ticks);
            _buckets[Math.Min(_buckets.Length - 1, ticks * BucketsPerUs * 1_000_000 / Stopwatch.Frequency)]++;
            Bursts++;
        }

        public double Us(double share)
        {
            long left = (long)(Bursts * share);
            int bucket = 0;
            for (; bucket < _buckets.Length - 1 && left > _buckets[bucket]; bucket++)
            {
                left -= _buckets[bucket];
            }
            return (bucket + 1.0) / BucketsPerUs;
        }

        public string Tell() =>
            $"median {Us(0.5):F1} µs, p99 {Us(0.99):F1}, p99.9 {Us(0.999):F1}, p99.99 {Us(0.9999):F1}, worst {_worstTicks * 1e6 / Stopwatch.Frequency:F0}";
    }

    private static void Allocate(CancellationToken stop)
    {
        while (!stop.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(100)))
        {
            object?[] kept = new object?[1_000];
            for (int i = 0; i < kept.Length; i++)
            {
                kept[i] = new byte[100];
            }
        }
    }
}

using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Native;

namespace Skep.Bench.DataPlane;

/// <summary>One worker beside two, each on a core of its own with its own ports, flows and sketches.</summary>
internal static class ScalingBench
{
    private const int Rounds = 7;
    private const double Bar = 1.8;
    private const long Packets = 20_000_000;

    public static void Run()
    {
        BenchRig[] rigs = [.. Enumerable.Range(0, 2).Select(static _ => new BenchRig(new Case("scaling", 100_000, BalanceMode.Nat, 32, null, Sketches: true), new MemoryWire(32)))];
        foreach (BenchRig rig in rigs)
        {
            rig.Open();
            rig.Run(5_000_000);
        }
        var ones = new List<double>();
        var twos = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            ones.Add(Together(rigs[..1]));
            twos.Add(Together(rigs));
        }
        double one = Median(ones), two = Median(twos), ratio = Median([.. ones.Zip(twos, static (a, b) => b / a)]);
        Console.WriteLine($"one worker {one:F2} Mpps, two {two:F2}: {ratio:F2}x ({(ratio >= Bar ? "met" : "missed")}, bar {Bar}); medians of {Rounds} rounds; {Environment.ProcessorCount} cores, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
        Array.ForEach(rigs, static r => r.Dispose());
    }

    private static double Together(BenchRig[] rigs)
    {
        double[] mpps = new double[rigs.Length];
        Thread[] threads = [.. rigs.Select((rig, i) => new Thread(() =>
        {
            Affinity.PinTo(i);
            mpps[i] = rig.Run(Packets).Wall;
        }))];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());
        return mpps.Sum();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

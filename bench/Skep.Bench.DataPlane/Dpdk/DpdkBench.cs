using System.Globalization;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>
/// Our DPDK port beside DPDK's own testpmd, both on the same core in turns, in C# and C: the same devices, memory, number of mbufs,
/// burst and work on each packet. usage: Skep.Bench.DataPlane dpdk [pairs] [seconds a run] [part of a case's name]
/// </summary>
internal static class DpdkBench
{
    public const int Buffers = 8192;
    public const int MemoryMb = 128;
    private const int HugePagesMb = 3 * MemoryMb;
    private const double BestCaseMpps = 80;
    private static readonly DpdkCase[] Cases =
    [
        new("io", false, 32), new("io", false, 64), new("macswap", false, 32), new("macswap", false, 64), new("5tswap", true, 32), new("5tswap", true, 64),
    ];
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(100);

    public static int Run(string[] args)
    {
        int pairs = args.Length > 0 ? int.Parse(args[0]) : 11;
        var lasting = TimeSpan.FromSeconds(args.Length > 1 ? double.Parse(args[1]) : 1);
        DpdkCase[] cases = [.. Cases.Where(c => args.Length < 3 || c.Name.Contains(args[2], StringComparison.Ordinal))];
        if (!Testpmd.IsThere)
        {
            Console.WriteLine("dpdk-testpmd is not installed (package dpdk-dev): nothing to compare with");
            return 1;
        }
        bool hugePages = Start();
        int core = Environment.ProcessorCount - 1;
        Console.WriteLine($"{DpdkEal.Version}, .NET {Environment.Version}; core {core} of {Environment.ProcessorCount}; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; "
            + $"{(hugePages ? "huge pages" : "no huge pages (--no-huge)")}; 64-byte packets; medians of {pairs} interleaved pairs of {lasting.TotalSeconds} s");
        using var testpmd = new Testpmd(core, hugePages);
        double best = 0;
        Console.WriteLine($"{"Mpps",-30} {"ours",7} {"testpmd",8} {"ratio",6} {"least",6} {"most",6} {"bytes",6} bar 1.00");
        foreach (DpdkCase what in cases)
        {
            (List<double> ours, List<double> theirs, long allocated) = Measure(what, testpmd, core, pairs, lasting);
            List<double> ratios = [.. ours.Zip(theirs, static (a, b) => a / b).Order()];
            double ratio = Median(ratios);
            best = Math.Max(best, Median(ours));
            Console.WriteLine($"{what.Name,-30} {Median(ours),7:F1} {Median(theirs),8:F1} {ratio,6:F3} {ratios[0],6:F2} {ratios[^1],6:F2} {allocated,6} {(ratio >= 1 ? "met" : "missed")}");
        }
        var balancing = new Thread(() =>
        {
            Affinity.PinTo(core);
            DpdkBalancing.Run();
        });
        balancing.Start();
        balancing.Join();
        Console.WriteLine($"best case {best:F1} Mpps: {(best >= BestCaseMpps ? "met" : "missed")} {BestCaseMpps}; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
        return 0;
    }

    // Huge pages where there are enough for both programs; else both do without.
    private static bool Start()
    {
        try
        {
            HugePages.Require(HugePagesMb);
        }
        catch (IOException e)
        {
            Console.WriteLine(e.Message);
            DpdkEal.Start(new DpdkOptions { HugePages = false, MemoryMb = MemoryMb });
            return false;
        }
        DpdkEal.Start(new DpdkOptions { MemoryMb = MemoryMb });
        return true;
    }

    private static (List<double> Ours, List<double> Theirs, long Allocated) Measure(DpdkCase what, Testpmd testpmd, int core, int pairs, TimeSpan lasting)
    {
        List<double> ours = [], theirs = [];
        long allocated = 0;
        testpmd.Set(what);
        var thread = new Thread(() =>
        {
            Affinity.PinTo(core);
            using var pool = new MbufPool(Buffers);
            using var port = new DpdkPort(what.Ring ? "net_ring0" : "net_null0", pool);
            Func<TimeSpan, TimeSpan, (double Mpps, long Allocated)> run = what.Mode switch
            {
                "io" => new DpdkRig<Io>(port, pool, what.Burst).Run,
                "macswap" => new DpdkRig<MacSwap>(port, pool, what.Burst).Run,
                _ => Filled(new DpdkRig<FiveTupleSwap>(port, pool, what.Burst)).Run,
            };
            // The compiler needs some time beside before it has done with what is hot.
            for (int i = 0; i < 4; i++)
            {
                run(WarmUp, WarmUp);
            }
            for (int pair = 0; pair < pairs; pair++)
            {
                // In turns first and second, so that neither always follows the other.
                if (pair % 2 == 1)
                {
                    theirs.Add(testpmd.Run(what, WarmUp, lasting));
                }
                (double mpps, long bytes) = run(WarmUp, lasting);
                ours.Add(mpps);
                allocated += bytes;
                if (pair % 2 == 0)
                {
                    theirs.Add(testpmd.Run(what, WarmUp, lasting));
                }
            }
        });
        thread.Start();
        thread.Join();
        return (ours, theirs, allocated);
    }

    private static DpdkRig<FiveTupleSwap> Filled(DpdkRig<FiveTupleSwap> rig)
    {
        rig.Fill(BenchFrames.Udp(64));
        return rig;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

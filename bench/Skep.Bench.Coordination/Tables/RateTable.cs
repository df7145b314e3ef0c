using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>Operations a second, their latency, and the servers' processor time: all contenders in the same rounds.</summary>
internal static class RateTable
{
    private const double WarmUpSeconds = 2;

    public static async Task RunAsync(Rig rig)
    {
        await using Contenders contenders = await rig.StartAsync(3, linearizable: true);
        await using EtcdReads? etcd = rig.Options.RunsSkep && rig.Options.RunsZooKeeper ? await EtcdReads.StartAsync(3) : null;
        List<(Rate Rate, Contender Contender)> plan =
            [.. Rate.All.SelectMany(rate => contenders.Where(c => Runs(c, rate)).Select(c => (rate, c)))];
        Console.WriteLine(
            $"3 servers, {rig.Options.Clients} client processes ({rig.Options.Client}) of 3 sessions each that share what is outstanding; medians of {rig.Options.Rounds} rounds of {rig.Options.Seconds} s; load {Machine.Load} when it began");
        foreach ((Rate rate, Contender contender) in plan)
        {
            await RateRun.RunAsync(rig, contender, rate, WarmUpSeconds);
        }
        var runs = plan.ToDictionary(static p => p, static _ => new List<RateRun>());
        for (int round = 0; round < rig.Options.Rounds; round++)
        {
            foreach ((Rate rate, Contender contender) in plan)
            {
                runs[(rate, contender)].Add(await RateRun.RunAsync(rig, contender, rate, rig.Options.Seconds));
                if (rate == Rate.LinearizableGet && etcd is not null)
                {
                    await etcd.RunAsync(rig.Options.Seconds);
                }
            }
        }

        Console.WriteLine(
            $"{"",-27} {"outstanding",11}  {"",-9} {"op/s",9} {"p50 ms",8} {"p99 ms",8} {"CPU s/1000 op",14} {"clients'",9} {"errors",7}");
        foreach (Rate rate in Rate.All)
        {
            foreach (Contender contender in contenders.Where(c => Runs(c, rate)))
            {
                Print(rate, contender, runs[(rate, contender)]);
            }
            PrintRatio(rate, runs);
            if (rate == Rate.LinearizableGet)
            {
                etcd?.Print(runs.First(static r => r.Key.Rate == Rate.LinearizableGet).Value.Select(static r => r.Load.PerSecond));
            }
        }
        foreach (Contender contender in contenders)
        {
            Console.WriteLine($"memory of the 3 servers of {contender.Name} after that: {contender.RssMb:N0} MiB resident");
        }
        Console.WriteLine($"load {Machine.Load} when it ended");
    }

    // Reads are linearizable for a whole server, so that row has servers of its own.
    private static bool Runs(Contender contender, Rate rate) => (contender is Ours { Linearizable: true }) == (rate == Rate.LinearizableGet);

    private static void Print(Rate rate, Contender contender, List<RateRun> runs) => Console.WriteLine(
        $"{rate.Name,-27} {rate.Outstanding,11}  {contender.Name,-9} {Median(runs, static r => r.Load.PerSecond),9:N0} {Median(runs, static r => r.Load.PercentileMs(0.5)),8:0.00} "
        + $"{Median(runs, static r => r.Load.PercentileMs(0.99)),8:0.00} {Median(runs, static r => r.CpuSecondsPerThousand),14:0.0000} "
        + $"{Median(runs, static r => r.Load.CpuSeconds / r.Load.Count * 1000),9:0.0000} {runs.Sum(static r => r.Load.Errors),7}");

    private static void PrintRatio(Rate rate, Dictionary<(Rate Rate, Contender Contender), List<RateRun>> runs)
    {
        Rate against = rate == Rate.LinearizableGet ? Rate.PlainGet : rate;
        List<RateRun>? ours = runs.FirstOrDefault(r => r.Key.Rate == rate && r.Key.Contender is Ours).Value;
        List<RateRun>? theirs = runs.FirstOrDefault(r => r.Key.Rate == against && r.Key.Contender is ZooKeeper).Value;
        if (ours is null || theirs is null)
        {
            return;
        }
        double rates = Machine.Median(ours.Zip(theirs, static (o, t) => o.Load.PerSecond / t.Load.PerSecond));
        double costs = Machine.Median(ours.Zip(theirs, static (o, t) => t.CpuSecondsPerThousand / o.CpuSecondsPerThousand));
        double tails = Median(ours, static r => r.Load.PercentileMs(0.99)) / Median(theirs, static r => r.Load.PercentileMs(0.99));
        bool met = (rate.PerCpuSecond ? costs : rates) >= rate.Wanted && (rate.Mode != "set" || tails < 1);
        Console.WriteLine(
            $"{"",-27} {"",11}  {rates:0.0}x a second, {costs:0.0}x a server CPU second, p99 {tails:0.00}x; "
            + $"wanted >= {rate.Wanted}x {(rate.PerCpuSecond ? "a server CPU second" : "a second")}{(rate.Mode == "set" ? ", lower p99" : "")}: {Verdict.Of(met)}");
    }

    private static double Median(List<RateRun> runs, Func<RateRun, double> figure) => Machine.Median(runs.Select(figure));
}

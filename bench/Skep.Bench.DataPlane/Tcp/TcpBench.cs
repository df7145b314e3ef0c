using System.Globalization;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>
/// Real TCP through the balancer, over veth between network namespaces: ours by afpacket and by afxdp, HAProxy and the kernel's own
/// DNAT, one after the other in every round. usage: Skep.Bench.DataPlane tcp [rounds] [seconds a load]; it takes root, redis-tools,
/// redis-server, wrk, haproxy and nftables.
/// </summary>
internal static class TcpBench
{
    private sealed record Sample(double PerSecond, double P99Ms, double PerCpuSecond, double PerMachineSecond);

    public static void Run(int rounds, int seconds)
    {
        Console.WriteLine($"{Environment.ProcessorCount} cores for all of it, client, balancer and {Net.Backends} backends; load before {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; medians of {rounds} rounds of {seconds} s");
        var samples = Load.All.SelectMany(l => Subject.Names.Select(s => (l.Name, Subject: s))).ToDictionary(k => k, _ => new List<Sample>());
        for (int round = 0; round < rounds; round++)
        {
            foreach (string name in Subject.Names)
            {
                using var subject = new Subject(name);
                foreach ((string load, Func<string, int, Measured> run) in Load.All)
                {
                    samples[(load, name)].Add(Measure(subject, run, seconds));
                }
            }
        }
        foreach ((string load, _) in Load.All)
        {
            Print(load, Subject.Names.ToDictionary(s => s, s => samples[(load, s)]));
        }
        Console.WriteLine("A CPU second is the balancer process's own; nftables has none. A machine's is any of its cores' that was not idle, whoever used it.");
    }

    private static Sample Measure(Subject subject, Func<string, int, Measured> run, int seconds)
    {
        (TimeSpan? cpu, double busy) = (subject.CpuTime(), BusySeconds());
        Measured measured = run(subject.Client, seconds);
        double own = (subject.CpuTime() - cpu)?.TotalSeconds ?? double.NaN;
        return new Sample(measured.PerSecond, measured.P99Ms, measured.Requests / own, measured.Requests / (BusySeconds() - busy));
    }

    private static void Print(string load, Dictionary<string, List<Sample>> subjects)
    {
        Console.WriteLine($"\n{load}\n{"",-16} {"req/s",9} {"least",9} {"most",9} {"p99 ms",8} {"req/CPU s",10} {"req/machine s",14} {"afxdp to it: req/s",19} {"p99",5} {"req/CPU s",10}");
        Sample ours = Median(subjects["ours, afxdp"]);
        foreach ((string name, List<Sample> samples) in subjects)
        {
            Sample m = Median(samples);
            Console.WriteLine(
                $"{name,-16} {m.PerSecond,9:N0} {samples.Min(s => s.PerSecond),9:N0} {samples.Max(s => s.PerSecond),9:N0} {m.P99Ms,8:F2} {m.PerCpuSecond,10:N0} {m.PerMachineSecond,14:N0} "
                + $"{ours.PerSecond / m.PerSecond,19:F2} {ours.P99Ms / m.P99Ms,5:F2} {ours.PerCpuSecond / m.PerCpuSecond,10:F2}");
        }
    }

    private static Sample Median(List<Sample> samples)
    {
        double Of(Func<Sample, double> which) => samples.Select(which).Order().ElementAt(samples.Count / 2);
        return new Sample(Of(s => s.PerSecond), Of(s => s.P99Ms), Of(s => s.PerCpuSecond), Of(s => s.PerMachineSecond));
    }

    // /proc/stat counts hundredths of a second: user, nice, system, idle, waiting, interrupts…
    private static double BusySeconds()
    {
        double[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(w => double.Parse(w, CultureInfo.InvariantCulture))];
        return (ticks.Sum() - ticks[3] - ticks[4]) / 100;
    }
}

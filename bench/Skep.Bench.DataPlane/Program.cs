// How many packets a second one core balances: parse, flow table, Maglev, rewrite, over memory ports. A generator on the same core
// puts 64-byte frames into one ring and takes them out of another; its copies and the ports' are part of the time, and how much the
// rings alone take is printed beside. usage: Skep.Bench.DataPlane [runs] [million packets a run] [part of a case's name]
// or: Skep.Bench.DataPlane dpdk [pairs] [seconds] [part of a case's name], the DPDK port beside DPDK's testpmd
// or: Skep.Bench.DataPlane pauses [seconds] [Mpps], how long a packet waits at 10 Mpps or so many; scaling, one worker beside two; handover, an answer at the wrong worker; plot FILE, Mpps by burst
// or: Skep.Bench.DataPlane tcp [rounds] [seconds], real TCP beside HAProxy and nftables
using System.Globalization;
using Skep.Bench.DataPlane;
using Skep.Bench.DataPlane.Dpdk;
using Skep.Bench.DataPlane.Tcp;
using Skep.DataPlane.Balancing.Configuration;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["tcp", ..])
{
    TcpBench.Run(args.Length > 1 ? int.Parse(args[1]) : 3, args.Length > 2 ? int.Parse(args[2]) : 5);
    return 0;
}
if (args is ["dpdk", ..])
{
    return DpdkBench.Run(args[1..]);
}
switch (args)
{
    case ["pauses", ..]:
        PauseBench.Run(TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1]) : 60), args.Length > 2 ? double.Parse(args[2]) : 10);
        return 0;
    case ["scaling", ..]:
        ScalingBench.Run();
        return 0;
    case ["handover"]:
        HandOverBench.Run();
        return 0;
    case ["plot", string file]:
        BurstPlot.Write(file);
        return 0;
}
int runs = args.Length > 0 ? int.Parse(args[0]) : 7;
long packets = (args.Length > 1 ? long.Parse(args[1]) : 20) * 1_000_000;
Case[] cases =
[
    new("ports alone", 1_000, null, 32, null),
    new("nat, 1 000 flows", 1_000, BalanceMode.Nat, 32, 12),
    new("dsr, 1 000 flows", 1_000, BalanceMode.Dsr, 32, 12),
    new("nat, 1 M flows", 1_000_000, BalanceMode.Nat, 32, 6),
    new("dsr, 1 M flows", 1_000_000, BalanceMode.Dsr, 32, 6),
    new("nat, 1 000, sketches", 1_000, BalanceMode.Nat, 32, 12, Sketches: true),
    new("nat, 1 M, sketches", 1_000_000, BalanceMode.Nat, 32, 6, Sketches: true),
    // One frame short of what the worker takes at once: it is not behind, and counts every packet.
    new("nat, 1 000, all counted", 1_000, BalanceMode.Nat, 31, null, Sketches: true),
    new("nat, 1 M, all counted", 1_000_000, BalanceMode.Nat, 31, null, Sketches: true),
];
cases = [.. cases.Where(c => c.Mode is null || args.Length < 3 || c.Name.Contains(args[2], StringComparison.Ordinal))];

Console.WriteLine($"one core of {Environment.ProcessorCount}; 64-byte frames, bursts of 32, 16 backends, table of 65,537; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; medians of {runs} runs of {packets / 1_000_000} M packets, interleaved");
var rigs = cases.Select(c => new BenchRig(c, new MemoryWire(c.Burst))).ToList();
foreach (BenchRig rig in rigs)
{
    rig.Open();
}
// The compiler works beside and needs some rounds, and some time, before it has done with what is hot.
for (int round = 0; round < 4; round++)
{
    rigs.ForEach(static r => r.Run(1_000_000));
    Thread.Sleep(300);
}
var results = cases.Select(_ => new List<(double Wall, double Cpu)>()).ToList();
rigs.ForEach(static r => r.AllocatedBytes = 0);
for (int run = 0; run < runs; run++)
{
    for (int i = 0; i < rigs.Count; i++)
    {
        results[i].Add(rigs[i].Run(packets));
    }
}
Console.WriteLine($"{"",-24} {"Mpps",7} {"least",7} {"most",7} {"ns/packet",10} {"less ports",10} {"Mpps/CPU s",11} bar");
double portsNs = 1000 / results[0].Select(r => r.Wall).Order().ElementAt(runs / 2);
for (int i = 0; i < cases.Length; i++)
{
    List<double> sorted = [.. results[i].Select(r => r.Wall).Order()];
    double cpu = results[i].Select(r => r.Cpu).Order().ElementAt(runs / 2);
    double median = sorted[sorted.Count / 2];
    string bar = cases[i].BarMpps is { } least ? (median >= least ? "met" : "missed") + $" {least}" : "";
    Console.WriteLine($"{cases[i].Name,-24} {median,7:F2} {sorted[0],7:F2} {sorted[^1],7:F2} {1000 / median,10:F1} {1000 / median - portsNs,10:F1} {cpu,11:F2} {bar}");
}
Console.WriteLine($"flows remembered: {string.Join(", ", cases.Zip(rigs, (c, r) => $"{c.Name} {r.Flows}"))}");
Console.WriteLine($"allocated while measuring: {rigs.Sum(static r => r.AllocatedBytes)} bytes");
rigs.ForEach(static r => r.Dispose());
double woken = Environment.UserName == "root" ? IdleCost.Percent(tap: true, TimeSpan.FromSeconds(3)) : double.NaN;
Console.WriteLine($"idle with AdaptiveSleep, percent of a core: {woken:F2} woken by a descriptor (bar: under 2), {IdleCost.Percent(tap: false, TimeSpan.FromSeconds(3)):F2} looking every two milliseconds (bar: under 2)");
return 0;

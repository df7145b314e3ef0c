// Simulates groups for as long as it is given, one seed after another, and prints the seeds that break an invariant.
// usage: Skep.Bench.Simulate [--real-log] [seconds] [first seed] [fault] ; Skep.Bench.Simulate [--real-log] --seed N [fault] shows one
// run step by step. --coordination in front of all simulates the coordination service, and a fault is one of its mistakes. --real-log: members keep the product's own log, on disks that tear sectors and turn bits.
using System.Diagnostics;
using System.Globalization;
using Skep.Raft.Consensus;
using Skep.Simulation;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--coordination", ..])
{
    return ServiceRuns.Run(args[1..]);
}

var realLog = args is ["--real-log", ..];
args = realLog ? args[1..] : args;
if (args is ["--seed", var one, ..])
{
    var faults = args.Length > 2 ? Enum.Parse<CoreFaults>(args[2], ignoreCase: true) : CoreFaults.None;
    try
    {
        Simulation.Run(int.Parse(one), new WorldOptions { Faults = faults, RealLog = realLog, Trace = Console.WriteLine });
        Console.WriteLine("every invariant held");
        return 0;
    }
    catch (SimulationFailure e)
    {
        Console.WriteLine(e.Message);
        return 1;
    }
}

var limit = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0]) : 60);
var first = args.Length > 1 ? int.Parse(args[1]) : Environment.TickCount & 0xffffff;
var fault = args.Length > 2 ? Enum.Parse<CoreFaults>(args[2], ignoreCase: true) : CoreFaults.None;
var began = Stopwatch.GetTimestamp();
long seeds = 0, steps = 0, answered = 0, failed = 0;
var next = first - 1;
Parallel.For(0, Environment.ProcessorCount, _ =>
{
    while (Stopwatch.GetElapsedTime(began) < limit)
    {
        var seed = Interlocked.Increment(ref next);
        try
        {
            var run = Simulation.Run(seed, new WorldOptions { Faults = fault, RealLog = realLog });
            Interlocked.Add(ref steps, run.Steps);
            Interlocked.Add(ref answered, run.Answered);
        }
        catch (SimulationFailure e)
        {
            Interlocked.Increment(ref failed);
            Console.WriteLine($"seed {seed}: {e.Message}; to see it: {(realLog ? "--real-log " : "")}--seed {seed}");
        }

        Interlocked.Increment(ref seeds);
    }
});
var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
Console.WriteLine($"{seeds} seeds from {first} in {elapsed:N1} s ({seeds / elapsed:N1} a second), {steps:N0} steps, {answered:N0} operations answered, {failed} seeds failed");
return failed == 0 ? 0 : 1;

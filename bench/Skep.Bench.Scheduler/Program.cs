// How long the scheduler takes for tasks that wait, without the log: deciding alone, and the whole loop with the store in
// memory, from its start to the last task written. Beside it what SwarmKit's own benchmark of the same shape took in Go
// (manager/scheduler BenchmarkScheduler1kNodes10kTasks and its NetworkConstraints variant, with its store in memory).
// usage: Skep.Bench.Scheduler [runs a row]
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Bench.Scheduler;
using Skep.Manager.Scheduling;
using Skep.Store;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int runs = args.Length > 0 ? int.Parse(args[0]) : 7;
Workload[] workloads =
[
    new("1,000 nodes / 10,000 tasks", 1_000, 10_000, 0, false, 0.95),
    new("the same, with constraints", 1_000, 10_000, 0, true, 1.7),
    new("10,000 services of one task", 1_000, 10_000, 10_000, false, null),
    new("the same, with constraints", 1_000, 10_000, 10_000, true, null),
    new("100 services of 100 tasks", 1_000, 10_000, 100, false, null),
    new("5,000 nodes / 150,000 tasks", 5_000, 150_000, 1_000, false, null),
];

Console.WriteLine($"medians of {runs} runs on {Environment.ProcessorCount} cores; Go's figures were recorded, not run beside");
Console.WriteLine($"{"",-30} {"deciding s",11} {"best",6} {"with store s",13} {"best",6} {"CPU s",6} {"Go s",6} {"Go / with store",16}");
foreach (Workload w in workloads)
{
    // The compiler needs a few rounds before it knows what is hot.
    for (int i = 0; i < 3; i++)
    {
        Decide(w);
        await WholeLoopAsync(w);
    }
    List<double> deciding = [.. Enumerable.Range(0, runs).Select(_ => Decide(w))];
    var whole = new List<double>();
    var cpu = new List<double>();
    for (int i = 0; i < runs; i++)
    {
        (double seconds, double cpuSeconds) = await WholeLoopAsync(w);
        whole.Add(seconds);
        cpu.Add(cpuSeconds);
    }
    double withStore = Median(whole);
    string peer = w.GoSeconds is { } go ? $"{go,6:0.00} {go / withStore,15:0.0}x" : $"{"-",6} {"-",16}";
    Console.WriteLine($"{w.Name,-30} {Median(deciding),11:0.000} {deciding.Min(),6:0.000} {withStore,13:0.000} {whole.Min(),6:0.000} {Median(cpu),6:0.000} {peer}");
}

static double Median(List<double> times)
{
    times.Sort();
    return times[times.Count / 2];
}

static double Decide(Workload w)
{
    var core = new SchedulerCore();
    List<StoreChange> nodes = [.. w.Nodes().Select(n => new StoreChange(StoreChangeKind.Create, n, null))];
    List<StoreChange> tasks = [.. w.Tasks().Select(t => new StoreChange(StoreChangeKind.Create, t, null))];
    DateTimeOffset now = DateTimeOffset.UtcNow;
    foreach (StoreChange node in nodes)
    {
        core.Note(node, now);
    }
    GC.Collect();
    long began = Stopwatch.GetTimestamp();
    foreach (StoreChange task in tasks)
    {
        core.Note(task, now);
    }
    int placed = core.Decide(now).Count(d => d.Node is not null);
    double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
    return placed == w.TaskCount ? seconds : throw new InvalidOperationException($"{placed} of {w.TaskCount} tasks were placed");
}

static async Task<(double Seconds, double CpuSeconds)> WholeLoopAsync(Workload w)
{
    using var store = new ClusterStore(TimeProvider.System);
    await store.BatchAsync(w.Nodes(), (tx, node) => tx.Create(node));
    await store.BatchAsync(w.Tasks(), (tx, task) => tx.Create(task));
    await using var scheduler = new Scheduler(store, TimeProvider.System, NullLogger<Scheduler>.Instance);
    using StoreSubscription watch = store.Subscribe();
    GC.Collect();
    using var self = Process.GetCurrentProcess();
    TimeSpan cpuBefore = self.TotalProcessorTime;
    long began = Stopwatch.GetTimestamp();
    scheduler.Start();
    int placed = 0;
    await foreach (StoreCommit commit in watch.Commits.ReadAllAsync())
    {
        placed += commit.Changes.Count(c => c.Object is SwarmTask { Status.State: Docker.Swarmkit.V1.TaskState.Assigned });
        if (placed == w.TaskCount)
        {
            break;
        }
    }
    double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
    self.Refresh();
    return (seconds, (self.TotalProcessorTime - cpuBefore).TotalSeconds);
}

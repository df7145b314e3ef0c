// What one operation on the cluster's objects costs: in memory, as SwarmKit's own benchmarks of its store have it
// (manager/state/store: BenchmarkCreateNode, BenchmarkUpdateNodeTransaction, BenchmarkFindNodeByName; 10,000 objects), and apart
// from that with the log, where every transaction waits for fdatasync.
// usage: Skep.Bench.Store [folder on the disk to measure] [runs a row]
using System.Globalization;
using Skep.Bench.Store;
using Skep.Store;
using Skep.Store.Durability;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const int Objects = 10_000;
const int DurableObjects = 2_000;
string parent = args.Length > 0 ? args[0] : Path.GetTempPath();
int runs = args.Length > 1 ? int.Parse(args[1]) : 9;

// The compiler needs a few rounds before it knows what is hot.
for (int i = 0; i < 3; i++)
{
    await InMemoryAsync(Objects);
}
List<Round> rounds = [];
for (int i = 0; i < runs; i++)
{
    rounds.Add(await InMemoryAsync(Objects));
}
Console.WriteLine($"store in memory, {Objects:N0} services, medians of {runs} runs on {Environment.ProcessorCount} cores; Go's figures were recorded, not run beside");
Console.WriteLine($"{"",-30} {"ours us",9} {"best",7} {"worst",8} {"CPU us",7} {"Go us",7} {"ours / Go",10}");
Print("create, a transaction each", rounds, static r => r.Create, 10.4);
Print("create, 200 a transaction", rounds, static r => r.BatchedCreate, 10.4);
Print("update, a transaction each", rounds, static r => r.Update, 27.8);
Print("lookup by name, a read each", rounds, static r => r.Lookup, 1.4);

string folder = Path.Combine(parent, $"skep-bench-store-{Environment.ProcessId}");
try
{
    rounds.Clear();
    double syncs = 0;
    for (int i = 0; i < Math.Min(runs, 5) + 1; i++)
    {
        var options = new DurableStoreOptions { StateDirectory = Path.Combine(folder, $"{i}"), MemberId = 1, Founds = true, DataKey = new byte[32] };
        await using DurableStore durable = await DurableStore.OpenAsync(options);
        await durable.UntilLeadingAsync(CancellationToken.None);
        Round round = await Measures.RunAsync(durable.Store, DurableObjects);
        if (i > 0)
        {
            rounds.Add(round);
            syncs = durable.Metrics.Syncs;
        }
    }
    Console.WriteLine();
    Console.WriteLine($"the same on the log in {parent}, {DurableObjects:N0} services, one caller: {syncs:N0} syncs a run");
    Console.WriteLine($"{"",-30} {"ours us",9} {"best",7} {"worst",8} {"CPU us",7}");
    Print("create, a transaction each", rounds, static r => r.Create, null);
    Print("create, 200 a transaction", rounds, static r => r.BatchedCreate, null);
    Print("update, a transaction each", rounds, static r => r.Update, null);
}
finally
{
    if (Directory.Exists(folder))
    {
        Directory.Delete(folder, recursive: true);
    }
}

static async Task<Round> InMemoryAsync(int count)
{
    using var store = new ClusterStore(TimeProvider.System);
    return await Measures.RunAsync(store, count);
}

static void Print(string name, List<Round> rounds, Func<Round, Cost> figure, double? goUs)
{
    List<double> wall = [.. rounds.Select(r => figure(r).WallUs).Order()];
    List<double> cpu = [.. rounds.Select(r => figure(r).CpuUs).Order()];
    double median = wall[wall.Count / 2];
    string peer = goUs is { } go ? $" {go,7:0.0} {median / go,9:0.00}x" : "";
    Console.WriteLine($"{name,-30} {median,9:0.00} {wall[0],7:0.00} {wall[^1],8:0.00} {cpu[cpu.Count / 2],7:0.00}{peer}");
}

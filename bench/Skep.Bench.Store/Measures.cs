using System.Diagnostics;
using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Store;

namespace Skep.Bench.Store;

/// <summary>Fills a store with services, changes each once and finds each by its name.</summary>
internal static class Measures
{
    public static async Task<Round> RunAsync(ClusterStore store, int count)
    {
        string[] ids = [.. Enumerable.Range(0, count).Select(static _ => Ids.New())];
        string[] batchIds = [.. Enumerable.Range(0, count).Select(static _ => Ids.New())];
        GC.Collect();

        // The object is made in the time that counts, as in SwarmKit's benchmark.
        Mark began = Mark.Now();
        await store.BatchAsync(batchIds, static (tx, id) => tx.Create(NewService(id, id)));
        Cost batchedCreate = began.PerOperation(count);
        await store.BatchAsync(batchIds, static (tx, id) => tx.Remove<Service>(id));

        began = Mark.Now();
        for (int i = 0; i < count; i++)
        {
            Service service = NewService(ids[i], $"service-{i}");
            await store.UpdateAsync(tx => tx.Create(service));
        }
        Cost create = began.PerOperation(count);

        began = Mark.Now();
        for (int i = 0; i < count; i++)
        {
            string id = ids[i];
            await store.UpdateAsync(tx =>
            {
                Service changed = tx.Get<Service>(id)!.Clone();
                changed.Spec.Replicated.Replicas++;
                tx.Update(changed);
            });
        }
        Cost update = began.PerOperation(count);

        string[] names = [.. Enumerable.Range(0, count).Select(static i => $"service-{i}")];
        int found = 0;
        began = Mark.Now();
        foreach (string name in names)
        {
            found += store.Read(view => view.ByName<Service>(name)) is null ? 0 : 1;
        }
        Cost lookup = began.PerOperation(count);
        int updated = store.Read(static view => view.List<Service>().Count(static s => s.Spec.Replicated.Replicas == 4));
        return found == count && updated == count
            ? new(create, batchedCreate, update, lookup)
            : throw new InvalidOperationException($"{found} of {count} services were found by name, {updated} were updated");
    }

    private static Service NewService(string id, string name) => new()
    {
        Id = id,
        SpecVersion = new() { Index = 1 },
        Spec = new()
        {
            Annotations = new() { Name = name, Labels = { ["owner"] = "bench" } },
            Replicated = new() { Replicas = 3 },
            Task = new()
            {
                Container = new() { Image = "redis:3.0.7", Env = { "A=1", "B=2" }, Command = { "redis-server" } },
                Resources = new() { Limits = new() { MemoryBytes = 64 << 20, NanoCpus = 500_000_000 } },
                Restart = new() { Condition = RestartPolicy.Types.RestartCondition.Any },
            },
            Endpoint = new() { Ports = { new PortConfig { TargetPort = 6379, Protocol = PortConfig.Types.Protocol.Tcp } } },
        },
    };

    private readonly record struct Mark(long Wall, TimeSpan Cpu)
    {
        public static Mark Now() => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

        public Cost PerOperation(int count) =>
            new(Stopwatch.GetElapsedTime(Wall).TotalMicroseconds / count, (Environment.CpuUsage.TotalTime - Cpu).TotalMicroseconds / count);
    }
}

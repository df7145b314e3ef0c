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
        Service[] single = Services("one", count);
        Service[] batched = Services("many", count);
        // Twice: what was made for the measurement is to be old before it begins, so that only what it makes itself is moved.
        GC.Collect();
        GC.Collect();

        Mark began = Mark.Now();
        await store.BatchAsync(batched, static (tx, service) => tx.Create(service));
        Cost batchedCreate = began.PerOperation(count);
        await store.BatchAsync(batched, static (tx, service) => tx.Remove<Service>(service.Id));

        began = Mark.Now();
        foreach (Service service in single)
        {
            await store.UpdateAsync(tx => tx.Create(service));
        }
        Cost create = began.PerOperation(count);

        began = Mark.Now();
        for (int i = 0; i < count; i++)
        {
            string id = single[i].Id;
            await store.UpdateAsync(tx =>
            {
                Service changed = tx.Get<Service>(id)!.Clone();
                changed.Spec.Replicated.Replicas++;
                tx.Update(changed);
            });
        }
        Cost update = began.PerOperation(count);

        string[] names = [.. single.Select(static s => s.Spec.Annotations.Name)];
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

    private static Service[] Services(string prefix, int count) => [.. Enumerable.Range(0, count).Select(i => new Service
    {
        Id = Ids.New(),
        SpecVersion = new() { Index = 1 },
        Spec = new()
        {
            Annotations = new() { Name = $"{prefix}-{i}", Labels = { ["owner"] = "bench" } },
            Replicated = new() { Replicas = 3 },
            Task = new()
            {
                Container = new() { Image = "redis:3.0.7", Env = { "A=1", "B=2" }, Command = { "redis-server" } },
                Resources = new() { Limits = new() { MemoryBytes = 64 << 20, NanoCpus = 500_000_000 } },
                Restart = new() { Condition = RestartPolicy.Types.RestartCondition.Any },
            },
            Endpoint = new() { Ports = { new PortConfig { TargetPort = 6379, Protocol = PortConfig.Types.Protocol.Tcp } } },
        },
    })];

    private readonly record struct Mark(long Wall, TimeSpan Cpu)
    {
        public static Mark Now() => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

        public Cost PerOperation(int count) =>
            new(Stopwatch.GetElapsedTime(Wall).TotalMicroseconds / count, (Environment.CpuUsage.TotalTime - Cpu).TotalMicroseconds / count);
    }
}

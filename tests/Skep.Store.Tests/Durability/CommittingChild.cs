using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Store.Durability;

namespace Skep.Store.Tests.Durability;

/// <summary>
/// The manager that the tests kill: callers create services and update them without pause, and print each version they were
/// given, after they were given it.
/// </summary>
internal static class CommittingChild
{
    public const string Argument = "--commit-until-killed";
    private const int Callers = 8;

    public static DurableStoreOptions Options(string folder) => new()
    {
        StateDirectory = folder,
        MemberId = 1,
        Founds = true,
        DataKey = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(),
        SegmentSizeBytes = 256 * 1024,
        SnapshotEveryEntries = 500,
        KeepEntries = 50,
    };

    public static async Task<int> RunAsync(string folder)
    {
        await using DurableStore durable = await Opened.AsLeaderAsync(Options(folder));
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        string run = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (int i = 0; ; i++)
            {
                string id = $"{run}-{caller}-{i % 20}";
                ulong version = await durable.Store.UpdateAsync(tx =>
                {
                    Service? old = tx.Get<Service>(id);
                    if (old is null)
                    {
                        tx.Create(Services.Make(id, $"round {i}"));
                        return;
                    }
                    Service changed = old.Clone();
                    changed.Spec.Annotations.Labels["round"] = $"round {i}";
                    tx.Update(changed);
                });
                lock (gate)
                {
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{version} {id} {i}"));
                }
            }
        })));
        return 0;
    }
}

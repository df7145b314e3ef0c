using System.Diagnostics;
using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Store.Durability;

namespace Skep.Store.Tests.Durability;

public sealed class KillTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_manager_killed_again_and_again_loses_no_transaction_it_acknowledged()
    {
        using var folder = new TemporaryFolder();
        var acknowledged = new List<(ulong Version, string Id, int Round)>();
        foreach (int count in new[] { 30, 1_500, 400 })
        {
            acknowledged.AddRange(await RunAndKillAsync(folder.Path, count));
        }

        await using DurableStore durable = await Opened.AsLeaderAsync(CommittingChild.Options(folder.Path));
        Assert.True(durable.Metrics.SnapshotIndex > 0, "the run was to be long enough for snapshots");
        foreach (var last in acknowledged.GroupBy(a => a.Id).Select(g => g.MaxBy(a => a.Version)))
        {
            Service? service = durable.Store.Read(v => v.Get<Service>(last.Id));
            Assert.NotNull(service);

            // What was under way when the kill came may be there as well.
            Assert.InRange(service.Meta.Version.Index, last.Version, ulong.MaxValue);
            Assert.True(service.Meta.Version.Index > last.Version || service.Spec.Annotations.Labels["round"] == $"round {last.Round}");
        }
    }

    private static async Task<List<(ulong Version, string Id, int Round)>> RunAndKillAsync(string folder, int count)
    {
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { CommittingChild.Argument, folder },
            RedirectStandardOutput = true,
        })!;
        var result = new List<(ulong, string, int)>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (line.Split(' ') is [var version, var id, var round])
            {
                result.Add((ulong.Parse(version, CultureInfo.InvariantCulture), id, int.Parse(round, CultureInfo.InvariantCulture)));
            }
            if (result.Count == count)
            {
                process.Kill();
                break;
            }
        }

        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(result.Count >= count, $"the manager ended by itself after {result.Count} transactions");
        return result;
    }
}

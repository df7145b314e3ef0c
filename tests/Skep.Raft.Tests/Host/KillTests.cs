using System.Diagnostics;
using System.Globalization;

namespace Skep.Raft.Tests.Host;

public sealed class KillTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_process_killed_again_and_again_loses_nothing_it_acknowledged()
    {
        using var folder = new TemporaryFolder();
        var acknowledged = new List<(ulong Index, string Command)>();
        foreach (var count in new[] { 50, 3_000, 500, 5_000 })
        {
            acknowledged.AddRange(await RunAndKillAsync(folder.Log, count));
        }

        var list = new CommandList();
        await using var group = await Solo.OpenAsync(AppendingChild.Options(folder.Log), list, TestContext.Current.CancellationToken);
        var commands = list.Commands;
        Assert.Equal(commands.Select(c => c.Index).Order(), commands.Select(c => c.Index));
        Assert.Equal(commands.Count, commands.Select(c => c.Command).Distinct().Count());
        Assert.Empty(acknowledged.Except(commands));
        Assert.True(group.Metrics.SnapshotIndex > 0, "the run was to be long enough for snapshots");
        Assert.Equal(6UL, group.Metrics.Term);
    }

    private static async Task<List<(ulong Index, string Command)>> RunAndKillAsync(string folder, int count)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { AppendingChild.Argument, folder },
            RedirectStandardOutput = true,
        })!;
        var result = new List<(ulong, string)>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            // The line that the kill cut in two was not seen by anyone.
            if (line.Split(' ') is [var index, var command] && command.Split('/') is { Length: 3 })
            {
                result.Add((ulong.Parse(index, CultureInfo.InvariantCulture), command));
            }

            if (result.Count == count)
            {
                process.Kill();
                break;
            }
        }

        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(result.Count >= count, $"the child ended by itself after {result.Count} acknowledgements");
        return result;
    }
}

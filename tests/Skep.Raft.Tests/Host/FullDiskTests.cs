using System.Diagnostics;

namespace Skep.Raft.Tests.Host;

public sealed class FullDiskTests
{
    [Fact]
    public async Task On_a_full_file_system_proposals_are_refused_until_there_is_room()
    {
        using var folder = new TemporaryFolder();
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path), "mounting a tmpfs needs root");
        try
        {
            var filler = Path.Combine(folder.Path, "filler");
            var list = new CommandList();
            await using var group = await Solo.OpenAsync(
                AppendingChild.Options(folder.Log) with { SegmentSizeBytes = 64 * 1024, SnapshotEveryEntries = 1_000_000 }, list);
            var accepted = 0;
            await File.WriteAllBytesAsync(filler, new byte[600 * 1024]);

            // What was taken when the disk filled up waits for room; what comes then is refused.
            Task<ulong> waits;
            do
            {
                waits = group.ProposeAsync(new byte[1000]);
                accepted++;
            }
            while (await Task.WhenAny(waits, group.Group.UntilFull) == waits && accepted < 1_000_000);
            var refused = await group.Group.UntilFull;
            Assert.Contains(folder.Log, refused.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<LogFullException>(() => group.ProposeAsync(new byte[1000]));
            Assert.Equal(accepted - 1, list.Commands.Count);
            Assert.False(group.Completion.IsCompleted);

            File.Delete(filler);
            await waits.WaitAsync(TimeSpan.FromSeconds(60));
            for (var i = 0; i < 100; i++, accepted++)
            {
                await group.ProposeAsync(new byte[1000]);
            }

            await group.DisposeAsync();
            var again = new CommandList();
            await using var reopened = await Solo.OpenAsync(AppendingChild.Options(folder.Log) with { SegmentSizeBytes = 64 * 1024 }, again);
            Assert.Equal(accepted, again.Commands.Count);
        }
        finally
        {
            Run("umount", folder.Path);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

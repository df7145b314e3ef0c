using System.Diagnostics;
using Docker.Swarmkit.V1;
using Skep.Store.Durability;

namespace Skep.Store.Tests.Durability;

public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_refuses_writes_and_takes_them_again_when_there_is_room()
    {
        using var folder = new TemporaryFolder();
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path), "mounting a tmpfs needs root");
        try
        {
            DurableStoreOptions options = CommittingChild.Options(folder.Path) with { SegmentSizeBytes = 64 * 1024, SnapshotEveryEntries = 1_000_000 };
            await using DurableStore durable = await Opened.AsLeaderAsync(options);
            string filler = Path.Combine(folder.Path, "filler");
            await File.WriteAllBytesAsync(filler, new byte[700 * 1024]);
            int created = 0;
            StoreException refused = await Assert.ThrowsAsync<StoreException>(async () =>
            {
                for (; created < 10_000; created++)
                {
                    await durable.Store.UpdateAsync(tx => tx.Create(Services.Make($"s{created}", paddingBytes: 2_000)));
                }
            });
            Assert.Equal(StoreErrorKind.Full, refused.Kind);
            Assert.Contains(folder.Log, refused.Message, StringComparison.Ordinal);
            Assert.Equal(created, durable.Store.Read(v => v.Count<Service>()));
            Assert.Contains("may be done once there is room", refused.Message, StringComparison.Ordinal);
            refused = await Assert.ThrowsAsync<StoreException>(() => durable.Store.UpdateAsync(tx => tx.Create(Services.Make("another"))));
            Assert.Equal(StoreErrorKind.Full, refused.Kind);

            using StoreSubscription commits = durable.Store.Subscribe();
            File.Delete(filler);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await commits.Commits.ReadAsync(patience.Token);
            Assert.NotNull(durable.Store.Read(v => v.Get<Service>($"s{created}")));
            created++;
            await durable.Store.UpdateAsync(tx => tx.Create(Services.Make($"s{created++}")));
            await durable.DisposeAsync();
            await using DurableStore again = await Opened.AsLeaderAsync(options);
            Assert.Equal(created, again.Store.Read(v => v.Count<Service>()));
        }
        finally
        {
            Run("umount", folder.Path);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

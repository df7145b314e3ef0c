using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Faults;

public sealed class Storage
{
    [Fact]
    public async Task A_record_damaged_in_the_middle_of_the_log_stops_the_start_naming_file_and_offset()
    {
        await using SkepCluster c = await SkepCluster.StartAsync(workers: 0);
        for (int i = 0; i < 20; i++)
        {
            await c.OkAsync("service", "create", "--name", $"s{i}", "--image", "redis", "--replicas", "0");
        }
        await c.Manager.KillAsync();
        string segment = Directory.EnumerateFiles(c.Manager.StateDirectory, "*", SearchOption.AllDirectories)
            .Where(f => f.Contains("/raft/", StringComparison.Ordinal) && !f.Contains("spare", StringComparison.Ordinal) && new FileInfo(f).Length > 4096)
            .MaxBy(File.GetLastWriteTimeUtc)!;
        byte[] bytes = await File.ReadAllBytesAsync(segment, TestContext.Current.CancellationToken);
        int used = Array.FindLastIndex(bytes, b => b != 0);
        bytes[used / 2] ^= 0x40;
        await File.WriteAllBytesAsync(segment, bytes, TestContext.Current.CancellationToken);

        int said = c.Manager.Log.Length;
        Assert.Equal(1, await c.Manager.Start().EndedAsync());
        string error = c.Manager.Log[said..];
        Assert.Contains(Path.GetFileName(segment), error, StringComparison.Ordinal);
        Assert.Matches("(?m)^Error: .*(offset|byte) [0-9]+", error);
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_lets_a_start_wait_and_takes_writes_again_when_there_is_room()
    {
        Programs.Need();
        await using var c = new SkepCluster();
        string disk = Path.Combine(c.Folder, "node-1");
        Directory.CreateDirectory(disk);
        Said mounted = await Shell.RunAsync("mount", ["-t", "tmpfs", "-o", "size=300m,mode=0700", "tmpfs", disk]);
        Assert.SkipUnless(mounted.Exit == 0, "no tmpfs can be mounted here: " + mounted.Errors.Trim());
        await c.FoundAsync();
        await c.OkAsync("service", "create", "--name", "first", "--image", "redis", "--replicas", "0");

        // What is left, but for a page, is filled; then configs fill what the log had set aside.
        await Shell.RunAsync("/bin/sh", ["-c", $"cat /dev/zero >{disk}/ballast"]);
        string data = new('x', 900_000);
        Said refused = new(0, "", "");
        for (int i = 0; i < 200 && refused.Exit == 0; i++)
        {
            refused = await c.CtlWithInputAsync(data, "config", "create", $"big{i}");
        }
        Assert.Equal(255, refused.Exit);
        Assert.Matches("Error: .*(no space|full|room)", refused.Errors);
        Assert.True(c.Manager.Runs, c.Manager.Log);
        Assert.Contains("first", await c.OkAsync("service", "ls"), StringComparison.Ordinal);

        await c.Manager.KillAsync();
        int said = c.Manager.Log.Length;
        c.Manager.Start();
        await Wait.Until(
            "the manager says that it waits for room",
            () => Task.FromResult(c.Manager.Log[said..].Contains("waits until there is some", StringComparison.Ordinal)),
            c.LogsAsync);
        Assert.True(c.Manager.Runs, c.Manager.Log);

        File.Delete(Path.Combine(disk, "ballast"));
        await Wait.Until(
            "a write is taken again",
            async () => (await c.CtlAsync("service", "create", "--name", "second", "--image", "redis", "--replicas", "0")).Exit == 0,
            c.LogsAsync);
        await c.Manager.KillAsync();
        c.Manager.Start();
        await c.AnswersAsync();
        string services = await c.OkAsync("service", "ls");
        Assert.Contains("first", services, StringComparison.Ordinal);
        Assert.Contains("second", services, StringComparison.Ordinal);
    }
}

namespace Skep.Bench.Raft;

/// <summary>Whether commands stand still while all members write snapshots of a large state.</summary>
internal static class SnapshotStall
{
    private const int Outstanding = 64;
    private const int Members = 3;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(string parent)
    {
        await using var ours = new Ours(parent, Members, "objects");
        Console.WriteLine(
            $"{Members} members with {ObjectTable.Objects:N0} objects each, {Outstanding} commands outstanding, a snapshot after {MemberProcess.SnapshotEveryEntries:N0} entries at all members at once; load {Loopback.Load} when it began");
        await ClientRun.RunAsync(ours, 512, static (count, _) => count < ObjectTable.Objects + 50_000);
        ClientRun calm = await ClientRun.RunAsync(ours, Outstanding, Window.TotalSeconds);
        var began = new TaskCompletionSource();
        await ClientRun.RunAsync(ours, 512, (count, _) => count < (int)MemberProcess.SnapshotEveryEntries - ObjectTable.Objects - 60_000 - calm.Count);
        TimeSpan written = TimeSpan.MaxValue;
        ClientRun busy = await ClientRun.RunAsync(ours, Outstanding, (_, elapsed) =>
        {
            if (written == TimeSpan.MaxValue && Snapshots(ours) == Members)
            {
                written = elapsed;
            }

            return elapsed < TimeSpan.FromMinutes(2) && (written == TimeSpan.MaxValue || elapsed < written + TimeSpan.FromSeconds(1));
        });
        Console.WriteLine($"longest time without an acknowledgement: {calm.LongestStallMs:0.0} ms in {Window.TotalSeconds} s without a snapshot (p99 {calm.Percentile(0.99):0.0} ms), {busy.LongestStallMs:0.0} ms with {Snapshots(ours)} snapshots (p99 {busy.Percentile(0.99):0.0} ms)");
    }

    private static int Snapshots(Ours ours) => Directory.EnumerateFiles(ours.Processes.Folder, "snap-*.snap", SearchOption.AllDirectories).Count();
}

namespace Skep.Bench.Raft;

/// <summary>Memory of the members under load, for as long as one likes.</summary>
internal static class Soak
{
    private const int Members = 3;

    public static async Task RunAsync(string parent, int minutes)
    {
        await using var ours = new Ours(parent, Members);
        Console.WriteLine($"{Members} members, 512 commands outstanding; load {Loopback.Load} when it began");
        Console.WriteLine($"{"minutes",7} {"commands/s",11}   resident MiB of each / heap MiB of each");
        for (int lap = 1; lap <= minutes * 6; lap++)
        {
            ClientRun run = await ClientRun.RunAsync(ours, 512, 10);
            string resident = string.Join(' ', ours.Processes.Ids.Select(static p => $"{Loopback.ResidentMiB(p),6:0}"));
            string heap = string.Join(' ', Enumerable.Range(1, Members).Select(m => $"{MemberFigures.Read(ours.Processes.Folder, m).HeapBytes / 1048576.0,6:0}"));
            Console.WriteLine($"{lap / 6.0,7:0.0} {run.PerSecond,11:N0}   {resident} / {heap}");
        }
    }
}

using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>How long no write is acknowledged to anybody when the leader is killed.</summary>
internal static class GapTable
{
    private const int Outstanding = 64;
    private const int TimeoutMs = 4000;
    private static readonly TimeSpan BeforeTheKill = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AfterTheKill = TimeSpan.FromSeconds(12);

    public static async Task RunAsync(Rig rig)
    {
        Console.WriteLine($"3 servers, {Outstanding} sets outstanding over all of them, the leader killed (-9): the longest time without an answer; load {Machine.Load} when it began");
        await using Contenders contenders = await rig.StartAsync(3);
        var gaps = contenders.ToDictionary(static c => c.Name, static _ => new List<double>());
        for (int kill = 0; kill < rig.Options.Kills; kill++)
        {
            foreach (Contender contender in contenders)
            {
                gaps[contender.Name].Add(await KillAsync(rig, contender));
            }
        }
        foreach ((string name, List<double> its) in gaps)
        {
            Console.WriteLine($"{name,-10} median {Machine.Median(its):N0} ms of {string.Join(", ", its.Select(static g => $"{g:N0}"))}");
        }
        Verdict.Print(gaps.ToDictionary(static g => g.Key, static g => Machine.Median(g.Value)), 1.0 / 3, "without an answer");
    }

    private static async Task<double> KillAsync(Rig rig, Contender contender)
    {
        // One client process sees all answers; its sessions go on to another server by themselves.
        await using LoadClient client = rig.Load.Start(
            "gap", "--servers", contender.Servers, "--outstanding", $"{Outstanding}", "--sessions", "6",
            "--seconds", $"{(BeforeTheKill + AfterTheKill).TotalSeconds}", "--timeout", $"{TimeoutMs}");
        await client.ReadyAsync(rig.Ct);
        int leader = await contender.LeaderAsync(rig.Ct);
        client.Go();
        await Task.Delay(BeforeTheKill, rig.Ct);
        await contender.KillAsync(leader);
        LoadResult result = await client.AnswerAsync<LoadResult>(rig.Ct);
        contender.StartAgain(leader);
        await client.EndedAsync(rig.Ct);
        await contender.ReadyAsync(rig.Load, rig.Ct);
        return result.GapMs;
    }
}

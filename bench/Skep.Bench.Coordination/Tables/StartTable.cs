using System.Diagnostics;
using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>How long a killed server with many nodes needs until it answers its first read.</summary>
internal static class StartTable
{
    private const string Root = "/many";

    public static async Task RunAsync(Rig rig)
    {
        int nodes = rig.Options.Nodes;
        string last = $"{Root}/{(nodes - 1) / 1000}/{nodes - 1}";
        Console.WriteLine(
            $"one server with {nodes:N0} nodes of 128 bytes, killed, from its start to the first answered getData; {rig.Options.Rounds} rounds after one that does not count; load {Machine.Load} when it began");
        await using Contenders contenders = await rig.StartAsync(1);
        foreach (Contender contender in contenders)
        {
            await using LoadClient fill = rig.Load.Start("fill", $"{nodes}", "--servers", contender.Servers, "--outstanding", "32", "--path", Root);
            LoadResult filled = await fill.AnswerAsync<LoadResult>(rig.Ct);
            Console.WriteLine($"{contender.Name,-10} {filled.PerSecond,9:N0} nodes a second made by multis of 100; {contender.RssMb:N0} MiB resident");
            await contender.KillAsync(0);
        }

        // After the first start a server may have written a snapshot, and begins with that from then on.
        var seconds = contenders.ToDictionary(static c => c.Name, static _ => new List<double>());
        for (int round = 0; round <= rig.Options.Rounds; round++)
        {
            foreach (Contender contender in contenders)
            {
                long began = Stopwatch.GetTimestamp();
                contender.StartAgain(0);
                await rig.Load.RunAsync(rig.Ct, "first", "--servers", contender.Servers, "--path", last);
                double took = Stopwatch.GetElapsedTime(began).TotalSeconds;
                Console.WriteLine($"{contender.Name,-10} {(round == 0 ? "first" : $"{round}"),6} {took,7:0.00} s, {contender.RssMb:N0} MiB resident");
                if (round > 0)
                {
                    seconds[contender.Name].Add(took);
                }
                await contender.KillAsync(0);
            }
        }
        foreach ((string name, List<double> its) in seconds)
        {
            Console.WriteLine($"{name,-10} median {Machine.Median(its):0.00} s");
        }
        Verdict.Print(seconds.ToDictionary(static s => s.Key, static s => Machine.Median(s.Value)), 1.0 / 5, "to the first answer");
    }
}

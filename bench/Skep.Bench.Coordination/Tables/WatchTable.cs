using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>How long it takes until the last of many clients has heard of one write.</summary>
internal static class WatchTable
{
    public static async Task RunAsync(Rig rig)
    {
        int count = rig.Options.Sessions;
        Console.WriteLine($"{count:N0} sessions on 3 servers, each with a watch on one node, which is written; {rig.Options.Rounds} rounds after one that does not count; load {Machine.Load} when it began");
        await using Contenders contenders = await rig.StartAsync(3);
        var clients = new List<LoadClient>();
        try
        {
            foreach (Contender contender in contenders)
            {
                clients.Add(rig.Load.Start("watches", $"{count}", "--servers", contender.Servers));
                await clients[^1].AnswerAsync<SessionResult>(rig.Ct);
            }
            var fired = contenders.ToDictionary(static c => c.Name, static _ => new List<WatchResult>());
            for (int round = 0; round <= rig.Options.Rounds; round++)
            {
                foreach ((Contender contender, LoadClient client) in contenders.Zip(clients))
                {
                    client.Go();
                    WatchResult result = await client.AnswerAsync<WatchResult>(rig.Ct);
                    if (round > 0)
                    {
                        fired[contender.Name].Add(result);
                    }
                }
            }
            Console.WriteLine($"{"",-10} {"write issued to last event, ms",31} {"write answered to last event, ms",33}");
            foreach ((string name, List<WatchResult> results) in fired)
            {
                Console.WriteLine($"{name,-10} {Machine.Median(results.Select(static r => r.IssueToLastUs)) / 1000,31:0.0} {Machine.Median(results.Select(static r => r.AnswerToLastUs)) / 1000,33:0.0}");
            }
            Verdict.Print(fired.ToDictionary(static f => f.Key, static f => Machine.Median(f.Value.Select(static r => r.IssueToLastUs))), 1.0 / 3, "to the last event");
        }
        finally
        {
            foreach (LoadClient client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }
}

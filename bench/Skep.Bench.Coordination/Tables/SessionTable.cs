using System.Diagnostics;
using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>What many sessions cost that only ping: the contenders one after the other, each with the machine to itself.</summary>
internal static class SessionTable
{
    private const double WantedPartOfACore = 0.05;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(Rig rig)
    {
        int count = rig.Options.Sessions;
        Console.WriteLine($"{count:N0} idle sessions on 3 servers, timeout 30 s, a ping every 10 s; measured over {Idle.TotalSeconds} s; load {Machine.Load} when it began");
        Console.WriteLine($"{"",-10} {"opened in s",12} {"MiB before",11} {"MiB with them",14} {"KiB a session",14} {"of a core",10} {"lost",5}");
        var memory = new Dictionary<string, double>();
        var added = new Dictionary<string, double>();
        foreach (Options options in rig.Options.OneByOne())
        {
            await using Contenders contenders = await (rig with { Options = options }).StartAsync(3);
            Contender contender = contenders.Single();
            double before = contender.RssMb;
            await using LoadClient client = rig.Load.Start("sessions", $"{count}", "--servers", contender.Servers);
            SessionResult opened = await client.AnswerAsync<SessionResult>(rig.Ct);
            await Task.Delay(Settle, rig.Ct);
            double cpu = contender.CpuSeconds;
            long began = Stopwatch.GetTimestamp();
            await Task.Delay(Idle, rig.Ct);
            double part = (contender.CpuSeconds - cpu) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            double with = memory[contender.Name] = contender.RssMb;
            added[contender.Name] = with - before;
            SessionResult ended = await client.EndAsync<SessionResult>(rig.Ct);
            Console.WriteLine($"{contender.Name,-10} {opened.Seconds,12:0.0} {before,11:N0} {with,14:N0} {(with - before) * 1024 / count,14:0.0} {part,10:P1} {ended.Errors,5}");
            if (contender is Ours)
            {
                Console.WriteLine($"  wanted < {WantedPartOfACore:P0} of a core: {Verdict.Of(part < WantedPartOfACore)}");
            }
        }
        Verdict.Print(memory, 1.0 / 4, "memory with the sessions");
        Verdict.Print(added, what: "what the sessions added");
    }
}

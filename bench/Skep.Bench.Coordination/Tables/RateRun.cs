namespace Skep.Bench.Coordination;

/// <summary>One measurement of one row: what the clients saw, and what it cost the servers.</summary>
internal sealed record RateRun(LoadResult Load, double ServerCpuSeconds)
{
    public double CpuSecondsPerThousand => ServerCpuSeconds / Load.Count * 1000;

    public static async Task<RateRun> RunAsync(Rig rig, Contender contender, Rate rate, double seconds)
    {
        // A lone session speaks to the leader.
        string servers = rate.Followers ? await contender.FollowersAsync(rig.Ct) : await contender.LeaderFirstAsync(rig.Ct);
        int clients = Math.Min(rig.Options.Clients, rate.Outstanding);
        var running = new List<LoadClient>();
        try
        {
            for (int i = 0; i < clients; i++)
            {
                int share = (rate.Outstanding / clients) + (i < rate.Outstanding % clients ? 1 : 0);
                running.Add(rig.Load.Start(rate.Mode, "--servers", servers, "--outstanding", $"{share}", "--sessions", "3", "--seconds", $"{seconds}", "--client", rig.Options.Client));
            }
            foreach (LoadClient client in running)
            {
                await client.ReadyAsync(rig.Ct);
            }
            double before = contender.CpuSeconds;
            running.ForEach(static c => c.Go());
            var results = new List<LoadResult>();
            foreach (LoadClient client in running)
            {
                results.Add(await client.AnswerAsync<LoadResult>(rig.Ct));
            }
            double used = contender.CpuSeconds - before;
            foreach (LoadClient client in running)
            {
                await client.EndedAsync(rig.Ct);
            }
            return new RateRun(LoadResult.Together(results), used);
        }
        finally
        {
            foreach (LoadClient client in running)
            {
                await client.DisposeAsync();
            }
        }
    }
}

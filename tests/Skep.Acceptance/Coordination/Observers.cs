using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>Servers that hold and serve all, and do not vote.</summary>
public sealed class Observers
{
    [Fact]
    public async Task Whoever_leads_can_be_made_one_serves_on_and_is_not_missed_when_it_dies()
    {
        await using SkepServers servers = await SkepServers.StartAsync(3);
        try
        {
            Daemon observer = await servers.LeaderAsync();
            await servers.ObserveAsync(observer, observes: true);
            await servers.IsAsync(observer, "observer");
            Daemon leader = await servers.LeaderAsync();
            Assert.NotEqual(observer.Name, leader.Name);

            (await Judges.KazooAsync("recipes.py", servers.AddressOf(observer), "/at-the-observer")).Ok.ToString();

            await observer.KillAsync();
            (await Judges.KazooAsync("recipes.py", servers.AddressOf(leader), "/without-it")).Ok.ToString();

            observer.Start();
            await servers.IsAsync(observer, "observer");
            await servers.ObserveAsync(observer, observes: false);
            await servers.IsAsync(observer, "follower");

            // Whoever is left votes, whatever its label says.
            await servers.ObserveAsync(observer, observes: true);
            await servers.IsAsync(observer, "observer");
            foreach (Daemon other in servers.Daemons.Where(d => d != observer).ToList())
            {
                await servers.DemoteAsync(other, staying: observer);
            }
            await servers.IsAsync(observer, "standalone");
            (await Judges.KazooAsync("recipes.py", servers.AddressOf(observer), "/alone")).Ok.ToString();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{await servers.LogsAsync()}", e);
        }
    }
}

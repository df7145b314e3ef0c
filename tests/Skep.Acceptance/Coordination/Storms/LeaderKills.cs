using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>Kills whoever leads (-9) and starts it again, over and over.</summary>
internal sealed class LeaderKills(SkepServers servers, Random random, Findings findings)
{
    private const int ShortestDownMs = 300;
    private const int LongestDownMs = 1_500;
    private const int ShortestReignMs = 2_000;
    private const int LongestReignMs = 5_000;

    public int Kills { get; private set; }

    /// <param name="length">How long it goes on.</param>
    /// <param name="sessionTimeout">Every fourth leader lives for longer: under it a session ends whose client it has not heard.</param>
    public async Task RunAsync(TimeSpan length, TimeSpan sessionTimeout)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < length)
        {
            Daemon leader = await servers.LeaderAsync();
            await leader.KillAsync();
            Kills++;
            findings.Note($"{leader.Name}, the leader, is killed");
            await Task.Delay(random.Next(ShortestDownMs, LongestDownMs));
            leader.Start();
            findings.Note($"{leader.Name} is started");
            await Task.Delay(Kills % 4 == 0 ? sessionTimeout * 1.2 : TimeSpan.FromMilliseconds(random.Next(ShortestReignMs, LongestReignMs)));
        }
    }
}

namespace Skep.Acceptance.Managers.Storms;

internal enum FaultKind
{
    /// <summary>Killed (-9), started again at the end.</summary>
    Kill,

    /// <summary>Stopped as a process (SIGSTOP), going on at the end.</summary>
    Freeze,

    /// <summary>Cut off from all others.</summary>
    Isolate,

    /// <summary>Hears nobody, and is heard.</summary>
    Deafen,

    /// <summary>Hears all, and is heard by nobody.</summary>
    Mute,

    /// <summary>The victim and the one behind it on one side, the rest on the other.</summary>
    Split,

    /// <summary>No room on its disk.</summary>
    FillDisk,
}

/// <summary>One thing that goes wrong.</summary>
/// <param name="AtMs">When it begins, from the storm's beginning.</param>
/// <param name="ForMs">How long it lasts.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Victim">Whom it befalls.</param>
/// <param name="IsLeaders">Whether it befalls whoever leads at that moment, if that can be told.</param>
internal sealed record Fault(int AtMs, int ForMs, FaultKind Kind, int Victim, bool IsLeaders)
{
    private static readonly FaultKind[] OfProcesses = [FaultKind.Kill, FaultKind.Kill, FaultKind.Freeze];
    private static readonly FaultKind[] OfNetworks = [FaultKind.Isolate, FaultKind.Deafen, FaultKind.Mute, FaultKind.Split];
    private static readonly FaultKind[] OfDisks = [FaultKind.FillDisk];

    /// <summary>The faults of a storm. Those of a lane follow each other, lanes do not wait for each other.</summary>
    /// <param name="seed">Fixes all of it.</param>
    /// <param name="members">How many managers there are.</param>
    /// <param name="length">How long the storm is.</param>
    /// <param name="small">The one manager whose disk is small.</param>
    public static IReadOnlyList<IReadOnlyList<Fault>> Lanes(int seed, int members, TimeSpan length, out int small)
    {
        var random = new Random(seed);
        int withSmallDisk = small = random.Next(members);
        return
        [
            [.. Lane(random, OfProcesses, length, shortestMs: 200, longestMs: 4_000, pauseMs: 5_000, () => random.Next(members))],
            [.. Lane(random, OfNetworks, length, shortestMs: 500, longestMs: 5_000, pauseMs: 6_000, () => random.Next(members))],
            [.. Lane(random, OfDisks, length, shortestMs: 4_000, longestMs: 10_000, pauseMs: 8_000, () => withSmallDisk)],
        ];
    }

    private static IEnumerable<Fault> Lane(Random random, FaultKind[] kinds, TimeSpan length, int shortestMs, int longestMs, int pauseMs, Func<int> victim)
    {
        for (int atMs = random.Next(pauseMs); ;)
        {
            int forMs = random.Next(shortestMs, longestMs);
            FaultKind kind = kinds[random.Next(kinds.Length)];
            var fault = new Fault(atMs, forMs, kind, victim(), kind != FaultKind.FillDisk && random.Next(2) == 0);
            if (atMs + forMs > length.TotalMilliseconds)
            {
                yield break;
            }
            yield return fault;
            atMs += forMs + random.Next(pauseMs / 4, pauseMs);
        }
    }
}

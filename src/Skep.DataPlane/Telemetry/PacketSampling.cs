namespace Skep.DataPlane.Telemetry;

/// <summary>
/// Which packets of a burst the sketches count: each of them, or, while more comes than the worker can take, one of every eight as eight.
/// Counting costs a third of what balancing costs, and a worker that is behind would drop packets to count others. Each eight draw anew
/// which of them it is, so that no rhythm of the traffic can hide behind it (Liu and others, "NitroSketch", SIGCOMM 2019).
/// </summary>
internal struct PacketSampling
{
    /// <summary>Packets that one stands for while not all are counted.</summary>
    public const int Every = 8;

    /// <summary>Full rounds on end after which not all are counted: some hundred packets wait at every look, so this is no mere burst.</summary>
    public const int FullRoundsUntilBusy = 16;

    private const int EveryBits = 3;
    private int _fullRounds;
    private ulong _state;
    private ulong _drawn;

    /// <summary>Whether not all are counted.</summary>
    public readonly bool IsSampling => _fullRounds >= FullRoundsUntilBusy;

    /// <summary>A round of all ports is over.</summary>
    /// <param name="wasFull">Whether a port had as many packets as a burst holds, and so perhaps more.</param>
    public void EndRound(bool wasFull) => _fullRounds = wasFull ? Math.Min(_fullRounds + 1, FullRoundsUntilBusy) : 0;

    /// <summary>A burst of at most 64 packets begins.</summary>
    public void BeginBurst()
    {
        if (IsSampling)
        {
            // splitmix64: three bits of it for every eight packets. The same each time the program runs, as all that decides here is.
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            _drawn = z ^ (z >> 31);
        }
    }

    /// <summary>How many packets the one at this place of the burst is counted as: 1, or 0 or 8 while not all are counted.</summary>
    public readonly int WeightOf(int place) =>
        !IsSampling ? 1 : ((int)(_drawn >> (place / Every * EveryBits)) & (Every - 1)) == (place & (Every - 1)) ? Every : 0;
}

namespace Skep.DataPlane.Workers;

/// <summary>What a worker does when no port had a packet. A value type, so that the loop is compiled for each.</summary>
public interface IWaitStrategy
{
    /// <summary>Called after a round without a packet.</summary>
    /// <param name="idleRounds">Rounds without a packet, this one included.</param>
    /// <returns>
    /// Whether the worker is to sleep until a port's descriptor wakes it. Ports without a descriptor are looked at every two milliseconds.
    /// </returns>
    bool Wait(long idleRounds);
}

/// <summary>Looks again at once: the least delay, a whole core always.</summary>
public readonly struct BusyWait : IWaitStrategy
{
    /// <inheritdoc />
    public bool Wait(long idleRounds)
    {
        Thread.SpinWait(1);
        return false;
    }
}

/// <summary>Lets others run who want to; a whole core where nobody does.</summary>
public readonly struct YieldWait : IWaitStrategy
{
    /// <inheritdoc />
    public bool Wait(long idleRounds)
    {
        Thread.Yield();
        return false;
    }
}

/// <summary>Looks again for some rounds, then sleeps: next to no processor time while nothing comes.</summary>
public readonly struct AdaptiveSleep : IWaitStrategy
{
    private const int SpinRounds = 200;

    /// <inheritdoc />
    public bool Wait(long idleRounds)
    {
        if (idleRounds > SpinRounds)
        {
            return true;
        }
        Thread.SpinWait(8);
        return false;
    }
}

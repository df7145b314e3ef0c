using Skep.DataPlane.Native;

namespace Skep.DataPlane.Workers;

/// <summary>What a worker does when no port had a packet. A value type, so that the loop is compiled for each.</summary>
public interface IWaitStrategy
{
    /// <summary>Called after a round without a packet.</summary>
    /// <param name="idleRounds">Rounds without a packet, this one included.</param>
    /// <param name="ports">Where packets may come from.</param>
    void Wait(long idleRounds, ReadOnlySpan<int> ports);
}

/// <summary>Looks again at once: the least delay, a whole core always.</summary>
public readonly struct BusyWait : IWaitStrategy
{
    /// <inheritdoc />
    public void Wait(long idleRounds, ReadOnlySpan<int> ports) => Thread.SpinWait(1);
}

/// <summary>Lets others run who want to; a whole core where nobody does.</summary>
public readonly struct YieldWait : IWaitStrategy
{
    /// <inheritdoc />
    public void Wait(long idleRounds, ReadOnlySpan<int> ports) => Thread.Yield();
}

/// <summary>
/// Looks again for some rounds, then sleeps until a port's descriptor wakes it: next to no processor time while nothing comes.
/// Ports without a descriptor are looked at every millisecond.
/// </summary>
public readonly struct AdaptiveSleep : IWaitStrategy
{
    private const int SpinRounds = 200;
    private const int WithDescriptorsMs = 100;
    private const int WithoutDescriptorsMs = 1;

    /// <inheritdoc />
    public void Wait(long idleRounds, ReadOnlySpan<int> ports)
    {
        if (idleRounds <= SpinRounds)
        {
            Thread.SpinWait(8);
            return;
        }
        bool allWake = !ports.Contains(-1);
        Poller.Wait(ports, allWake ? WithDescriptorsMs : WithoutDescriptorsMs);
    }
}

using System.Runtime.InteropServices;
using Skep.DataPlane.Native;
using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Workers;

/// <summary>
/// Where a worker gets frames from the others: a ring for each of them, and a bell that is rung when it sleeps and not otherwise, so that
/// no system call is made for a worker that is awake.
/// </summary>
internal sealed unsafe class Mailbox : IDisposable
{
    private const int RingFrames = 256;
    private readonly FrameRing[] _rings;
    private readonly int _bell;
    private Sleeping _sleeping;

    // Written by whoever falls asleep or wakes it, so it has a cache line of its own.
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Sleeping
    {
        [FieldOffset(64)] public int Value;
    }

    /// <param name="senders">How many others there are.</param>
    /// <param name="frameBytes">The longest frame.</param>
    /// <exception cref="IOException">The kernel gives no descriptor.</exception>
    public Mailbox(int senders, int frameBytes)
    {
        const int nonBlockingCloseOnExec = 0x800 | 0x80000;
        _bell = Libc.EventFd(0, nonBlockingCloseOnExec);
        if (_bell < 0)
        {
            throw Libc.Failed("no descriptor can be had by which a worker is woken");
        }
        _rings = [.. Enumerable.Range(0, senders).Select(_ => new FrameRing(RingFrames, frameBytes))];
    }

    /// <summary>What wakes a poll when the bell is rung.</summary>
    public int WaitDescriptor => _bell;

    /// <summary>The frames of each of the others.</summary>
    public IReadOnlyList<FrameRing> Rings => _rings;

    /// <summary>The owner sleeps until a descriptor or the bell wakes it; not at all where a frame waits.</summary>
    /// <param name="descriptors">The bell's must be among them.</param>
    /// <param name="timeoutMs">How long at most; -1 for ever.</param>
    public void Sleep(ReadOnlySpan<int> descriptors, int timeoutMs)
    {
        Volatile.Write(ref _sleeping.Value, 1);
        // Either the sender sees that we sleep, or we see its frame: each writes first and looks then.
        Interlocked.MemoryBarrier();
        if (IsEmpty())
        {
            Poller.Wait(descriptors, timeoutMs);
        }
        Volatile.Write(ref _sleeping.Value, 0);
        ulong rung;
        _ = Libc.Read(_bell, &rung, sizeof(ulong));
    }

    /// <summary>A sender has written to its ring: wakes the owner if it sleeps.</summary>
    public void Ring()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleeping.Value) != 0 && Interlocked.Exchange(ref _sleeping.Value, 0) != 0)
        {
            ulong one = 1;
            _ = Libc.Write(_bell, &one, sizeof(ulong));
        }
    }

    private bool IsEmpty()
    {
        foreach (FrameRing ring in _rings)
        {
            if (!ring.IsEmpty)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Frees the rings. No worker may run any more.</summary>
    public void Dispose()
    {
        Array.ForEach(_rings, static r => r.Dispose());
        _ = Libc.Close(_bell);
    }
}

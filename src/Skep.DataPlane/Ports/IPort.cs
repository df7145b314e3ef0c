using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports;

/// <summary>
/// Where frames come from and go to. A port belongs to one worker, which alone calls it. No call blocks, none allocates.
/// </summary>
public interface IPort : IDisposable
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Its Ethernet address.</summary>
    MacAddress Mac { get; }

    /// <summary>The longest that an IP packet can be which leaves by it, in bytes, as it was when the port was opened; more than any where there is no such bound.</summary>
    int MtuBytes => int.MaxValue;

    /// <summary>A descriptor that poll(2) reports readable when frames wait; -1 where there is none.</summary>
    int WaitDescriptor { get; }

    /// <summary>Where its packets have their buffers. All ports of a worker have the same.</summary>
    PacketPool Pool { get; }

    /// <summary>What was lost here and why.</summary>
    PortCounters Counters { get; }

    /// <summary>
    /// Asks the kernel how many frames came that it could not hand over, since those before were not taken or were too long. Any
    /// thread may ask while the port is open.
    /// </summary>
    long ReadMissed() => 0;

    /// <summary>Takes frames that wait. They belong to the caller, who sends them somewhere or returns them.</summary>
    /// <returns>How many; 0 where none waits.</returns>
    int Receive(Span<Packet> burst);

    /// <summary>Sends frames, in order. Those that were taken belong to the port.</summary>
    /// <returns>How many of the first were taken; the rest stay the caller's.</returns>
    int Send(ReadOnlySpan<Packet> burst);

    /// <summary>Gives back the buffers of frames that were received and not sent.</summary>
    void Return(ReadOnlySpan<Packet> burst);
}

using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Workers;

/// <summary>Packets on their way out by one port, sent together.</summary>
internal sealed class Outbox(IPort port, int capacity)
{
    private readonly Packet[] _packets = new Packet[capacity];
    private int _count;

    /// <summary>Adds a packet; sends what is there first when full.</summary>
    /// <returns>Packets that the port did not take and that are lost.</returns>
    public int Add(Packet packet)
    {
        int lost = _count == _packets.Length ? Flush() : 0;
        _packets[_count++] = packet;
        return lost;
    }

    /// <summary>Sends what is there.</summary>
    /// <returns>Packets that the port did not take and that are lost.</returns>
    public int Flush()
    {
        if (_count == 0)
        {
            return 0;
        }
        int sent = port.Send(_packets.AsSpan(0, _count));
        int lost = _count - sent;
        // A port that takes no more is no reason to hold up the others: what it refuses is dropped, as a switch would.
        port.Return(_packets.AsSpan(sent, lost));
        _count = 0;
        return lost;
    }
}

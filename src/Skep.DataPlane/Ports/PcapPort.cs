using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports;

/// <summary>A port whose frames come from a capture and go into another.</summary>
public sealed class PcapPort : IPort
{
    private readonly PacketPool _pool;
    private readonly PcapReader? _reader;
    private readonly PcapWriter? _writer;
    private readonly TimeProvider _time;

    /// <summary>Makes the port.</summary>
    /// <param name="name">What people call it.</param>
    /// <param name="mac">The address it is to have.</param>
    /// <param name="pool">Where received frames get their buffers.</param>
    /// <param name="reader">What is received; null for nothing.</param>
    /// <param name="writer">Where sent frames go; null to discard them.</param>
    /// <param name="time">Stamps what is written.</param>
    public PcapPort(string name, MacAddress mac, PacketPool pool, PcapReader? reader, PcapWriter? writer, TimeProvider time)
    {
        (Name, Mac, _pool, _reader, _writer, _time) = (name, mac, pool, reader, writer, time);
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public MacAddress Mac { get; }

    /// <inheritdoc />
    public int WaitDescriptor => -1;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        int count = 0;
        while (_reader is not null && count < burst.Length && _pool.TryRent(_pool.BufferBytes, out Packet packet))
        {
            if (!_reader.TryRead(packet.Bytes, out int length, out _))
            {
                _pool.Return(packet);
                break;
            }
            packet.SetLength(length);
            burst[count++] = packet;
        }
        Counters.Received += count;
        return count;
    }

    /// <inheritdoc />
    public int Send(ReadOnlySpan<Packet> burst)
    {
        foreach (ref readonly Packet packet in burst)
        {
            _writer?.Write(packet.Bytes, _time.GetUtcNow());
            _pool.Return(packet);
        }
        Counters.Sent += burst.Length;
        return burst.Length;
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    /// <inheritdoc />
    public void Dispose()
    {
        _reader?.Dispose();
        _writer?.Dispose();
    }
}

using System.Buffers.Binary;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfPacket;

/// <summary>
/// A port over any network device of Linux, by memory-mapped packet rings. Checksums that the sender left to the hardware are
/// completed, and large frames cut, as they are received; the counters say how many. The kernel sees the packets too, so a device
/// that a balancer serves should have no address of its own there: give it to a <see cref="Tap.TapPort"/>.
/// </summary>
public sealed unsafe class AfPacketPort : IPort
{
    private const int VlanTagBytes = 4;
    private readonly PacketPool _pool;
    private readonly PacketSocket _socket;
    private LargeFrame _large;
    private int _receiveAt;
    private int _sendAt;
    private bool _kickAgain;

    /// <summary>Opens a device. It takes root, or the capability CAP_NET_RAW.</summary>
    /// <param name="device">Its name in the calling thread's network namespace.</param>
    /// <param name="pool">Where received frames get their buffers.</param>
    /// <param name="receiveFrames">Frames that wait at most, 68 KiB each.</param>
    /// <param name="sendFrames">Frames under way at most.</param>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what it takes.</exception>
    public AfPacketPort(string device, PacketPool pool, int receiveFrames = 256, int sendFrames = 512)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(receiveFrames, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sendFrames, 1);
        (Name, _pool) = (device, pool);
        _socket = new PacketSocket(device, receiveFrames, sendFrames, pool.BufferBytes);
    }

    /// <summary>Opens a device for several workers, over which the kernel spreads what comes in, a connection's frames always to the same.</summary>
    /// <param name="device">Its name in the calling thread's network namespace.</param>
    /// <param name="pools">The buffers of each worker.</param>
    /// <returns>A port for each.</returns>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what it takes.</exception>
    public static IReadOnlyList<AfPacketPort> OpenFor(string device, IReadOnlyList<PacketPool> pools)
    {
        ArgumentNullException.ThrowIfNull(pools);
        List<AfPacketPort> ports = [];
        try
        {
            int? group = null;
            foreach (PacketPool pool in pools)
            {
                ports.Add(new AfPacketPort(device, pool));
                if (pools.Count > 1)
                {
                    group = ports[^1]._socket.Share(group);
                }
            }
            return ports;
        }
        catch
        {
            ports.ForEach(static p => p.Dispose());
            throw;
        }
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public MacAddress Mac => _socket.Mac;

    /// <inheritdoc />
    public int MtuBytes => _socket.MtuBytes;

    /// <inheritdoc />
    public int WaitDescriptor => _socket.Descriptor;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <inheritdoc />
    public long ReadMissed() => _socket.ReadMissed();

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        int count = 0;
        while (count < burst.Length)
        {
            byte* slot = _socket.ReceiveFrame(_receiveAt);
            uint status = Volatile.Read(ref *(uint*)slot);
            if ((status & PacketSocket.StatusUser) == 0 || _pool.IsEmpty)
            {
                break;
            }
            if (TryRead(slot, status, out Packet packet))
            {
                burst[count++] = packet;
            }
            if (!_large.IsOpen)
            {
                Volatile.Write(ref *(uint*)slot, PacketSocket.StatusKernel);
                _receiveAt = (_receiveAt + 1) % _socket.ReceiveFrames;
            }
        }
        if (_kickAgain)
        {
            _kickAgain = !_socket.Kick();
        }
        Counters.Received += count;
        return count;
    }

    /// <inheritdoc />
    public int Send(ReadOnlySpan<Packet> burst)
    {
        int count = 0;
        for (; count < burst.Length; count++)
        {
            byte* slot = _socket.SendFrame(_sendAt);
            uint status = Volatile.Read(ref *(uint*)slot);
            if ((status & (PacketSocket.StatusSendRequest | PacketSocket.StatusSending)) != 0)
            {
                break;
            }
            ReadOnlySpan<byte> frame = burst[count].Bytes;
            byte* data = slot + PacketSocket.FrameHeaderBytes;
            new Span<byte>(data, OffloadHeader.SizeBytes).Clear();
            frame.CopyTo(new Span<byte>(data + OffloadHeader.SizeBytes, frame.Length));
            *(uint*)(slot + 4) = (uint)(OffloadHeader.SizeBytes + frame.Length);
            Volatile.Write(ref *(uint*)slot, PacketSocket.StatusSendRequest);
            _sendAt = (_sendAt + 1) % _socket.SendFrames;
            _pool.Return(burst[count]);
        }
        // A device that is down or whose queue is full keeps the frames in the ring; they go out by the next kick.
        _kickAgain = !_socket.Kick();
        Counters.Sent += count;
        return count;
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    // False where the frame was lost, or gives no packet now; a large frame stays open while pieces of it are to come.
    private bool TryRead(byte* slot, uint status, out Packet packet)
    {
        packet = default;
        int whole = *(int*)(slot + 4), there = *(int*)(slot + 8);
        byte* start = slot + *(ushort*)(slot + 12);
        var frame = new ReadOnlySpan<byte>(start, there);
        OffloadHeader offload = OffloadHeader.Read(new ReadOnlySpan<byte>(start - OffloadHeader.SizeBytes, OffloadHeader.SizeBytes));
        int tagBytes = (status & PacketSocket.StatusVlan) != 0 ? VlanTagBytes : 0;
        if (there < whole || (!offload.IsLarge && there + tagBytes > _pool.BufferBytes))
        {
            Counters.TooLong++;
            return false;
        }
        if (offload.IsLarge)
        {
            if (!_large.IsOpen)
            {
                if (!_large.TryBegin(frame, offload, _pool.BufferBytes - tagBytes))
                {
                    Counters.OffloadRefused++;
                    return false;
                }
                Counters.Segmented++;
            }
            if (!_large.TryNext(frame, _pool, out packet))
            {
                return false;
            }
        }
        else if (!_pool.TryCopy(frame, out packet))
        {
            return false;
        }
        else if ((offload.Flags & OffloadHeader.NeedsChecksum) != 0)
        {
            if (!ChecksumCompletion.TryComplete(packet.Bytes, offload))
            {
                Counters.OffloadRefused++;
                _pool.Return(packet);
                return false;
            }
            Counters.ChecksumsCompleted++;
        }
        if (tagBytes != 0)
        {
            InsertTag(packet, (status & PacketSocket.StatusVlanType) != 0 ? *(ushort*)(slot + 26) : EtherType.Vlan, *(ushort*)(slot + 24));
        }
        return true;
    }

    // The kernel takes the outer tag off every frame and keeps it beside.
    private static void InsertTag(Packet packet, ushort type, ushort tag)
    {
        const int addresses = 2 * MacAddress.SizeBytes;
        int length = packet.Length;
        packet.SetLength(length + VlanTagBytes);
        Span<byte> frame = packet.Bytes;
        frame[addresses..length].CopyTo(frame[(addresses + VlanTagBytes)..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[addresses..], type);
        BinaryPrimitives.WriteUInt16BigEndian(frame[(addresses + 2)..], tag);
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}

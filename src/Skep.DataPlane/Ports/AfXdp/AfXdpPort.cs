using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>
/// A port over one queue of a network device, by AF_XDP: the kernel writes frames into the pool's buffers and reads them from there.
/// What comes by that queue, the kernel's own network stack does not see; what comes by others is the kernel's alone.
/// </summary>
/// <remarks>
/// On a device between two places in memory (veth, tap) checksums come partial and are completed here, TCP's and UDP's: the kernel
/// cuts large frames before it hands them over, and tells nobody which checksums are left. VLAN tags that the sending side left to
/// the hardware are lost with it: ethtool -K … txvlan off there.
/// </remarks>
public sealed class AfXdpPort : IPort
{
    private readonly PacketPool _pool;
    private readonly XdpSocket _socket;
    private readonly AfXdpDevice _device;
    private readonly bool _ownsDevice;
    private readonly int[] _descriptors;
    private readonly bool[] _kernels;
    private readonly bool _completes;
    private readonly int _receiveFrames;
    private int _filled;
    private bool _kickAgain;

    /// <summary>Opens one queue of a device, which the port has for itself. It takes root, or the capabilities CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.</summary>
    /// <param name="device">Its name in the calling thread's network namespace.</param>
    /// <param name="pool">Where frames lie, those to be sent too. It must outlive the port; buffers of 2,048 or 4,096 bytes.</param>
    /// <param name="options">How to open it.</param>
    /// <exception cref="ArgumentException">The options or the pool cannot be; the message says what can.</exception>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what it takes.</exception>
    public AfXdpPort(string device, PacketPool pool, AfXdpOptions? options = null)
        : this(new AfXdpDevice(device, [pool], options), 0, ownsDevice: true)
    {
    }

    /// <summary>Makes the port of one of a device's queues. Dispose it before the device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="queue">Which of those that the device was opened with, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device was opened with fewer.</exception>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what it takes.</exception>
    public AfXdpPort(AfXdpDevice device, int queue)
        : this(device, queue, ownsDevice: false)
    {
    }

    private AfXdpPort(AfXdpDevice device, int queue, bool ownsDevice)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)queue, (uint)device.Pools.Count, nameof(queue));
        (_device, _ownsDevice, _pool, _receiveFrames) = (device, ownsDevice, device.Pools[queue], device.Options.ReceiveFrames);
        _kernels = new bool[_pool.Buffers];
        try
        {
            _socket = new XdpSocket();
            _socket.Map(_pool, device.Options.ReceiveFrames, device.Options.SendFrames);
            Fill();
            _completes = device.HandsOverPartialChecksums;
            _descriptors = [_socket.Descriptor];
            device.Lead(queue, _socket);
            IsZeroCopy = _socket.IsZeroCopy();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public string Name => _device.Name;

    /// <inheritdoc />
    public MacAddress Mac => _device.Mac;

    /// <inheritdoc />
    public int MtuBytes => _device.MtuBytes;

    /// <inheritdoc />
    public int WaitDescriptor => _socket.Descriptor;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <summary>Whether the device reads and writes the pool itself.</summary>
    public bool IsZeroCopy { get; }

    /// <summary>What was switched off, is done otherwise than asked, or had better be known, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _device.Notes;

    /// <summary>Asks the kernel what was lost; a system call, not for each burst.</summary>
    public XdpLosses ReadLosses() => _socket.ReadLosses();

    /// <inheritdoc />
    public long ReadMissed() => ReadLosses().Missed;

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        Complete();
        int count = Math.Min(burst.Length, _socket.Rx.Ready());
        for (int i = 0; i < count; i++)
        {
            XdpDescriptor frame = _socket.Rx.Descriptor(i);
            Packet packet = _pool.At(Offset(frame.Address), (int)frame.Length);
            _kernels[packet.Buffer] = false;
            if (_completes && PartialChecksum.TryComplete(packet.Bytes))
            {
                Counters.ChecksumsCompleted++;
            }
            burst[i] = packet;
        }
        if (count > 0)
        {
            _socket.Rx.Advance(count);
            _filled -= count;
        }
        Fill();
        if (_socket.Fill.WantsWakeup)
        {
            Poller.Wait(_descriptors, 0);
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
        Complete();
        int count = Math.Min(burst.Length, _socket.Tx.Ready());
        for (int i = 0; i < count; i++)
        {
            _socket.Tx.Descriptor(i) = new XdpDescriptor { Address = _pool.OffsetOf(burst[i]), Length = (uint)burst[i].Length };
            _kernels[burst[i].Buffer] = true;
        }
        if (count > 0)
        {
            _socket.Tx.Advance(count);
        }
        // A device that is down or whose queue is full keeps the frames in the ring; they go out by the next kick.
        _kickAgain = _socket.Tx.WantsWakeup && !_socket.Kick();
        Counters.Sent += count;
        return count;
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    // Gives the buffers of frames that have been sent back to the pool.
    private void Complete()
    {
        int count = _socket.Completion.Ready();
        for (int i = 0; i < count; i++)
        {
            Packet sent = _pool.At(Offset(_socket.Completion.Address(i)), 0);
            _kernels[sent.Buffer] = false;
            _pool.Return(sent);
        }
        if (count > 0)
        {
            _socket.Completion.Advance(count);
        }
    }

    // No more than was agreed on are the kernel's, lest one port empty the pool that several share.
    private void Fill()
    {
        int count = 0;
        for (int room = Math.Min(_socket.Fill.Ready(), _receiveFrames - _filled); count < room && _pool.TryRent(0, out Packet packet); count++)
        {
            _kernels[packet.Buffer] = true;
            _socket.Fill.Address(count) = _pool.OffsetOf(packet);
        }
        if (count > 0)
        {
            _socket.Fill.Advance(count);
            _filled += count;
        }
    }

    private nuint Offset(ulong address)
    {
        const int offsetShift = 48;
        return _socket.IsUnaligned ? (nuint)((address & ((1UL << offsetShift) - 1)) + (address >> offsetShift)) : (nuint)address;
    }

    /// <summary>
    /// Closes the socket, and where the port has the device for itself takes the program off first. What the kernel held goes back to the pool.
    /// </summary>
    public void Dispose()
    {
        if (_ownsDevice)
        {
            _device.Dispose();
        }
        // Null where opening broke off before it was there.
        _socket?.Dispose();
        for (int buffer = 0; buffer < _kernels.Length; buffer++)
        {
            // A device with zero copy may write for a moment after the close: its buffers are given up.
            if (_kernels[buffer] && !IsZeroCopy)
            {
                _pool.Return(_pool.At((nuint)buffer * (nuint)_pool.StrideBytes, 0));
            }
            _kernels[buffer] = false;
        }
    }
}

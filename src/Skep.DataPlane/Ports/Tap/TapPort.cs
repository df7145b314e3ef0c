using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.Tap;

/// <summary>
/// A network device made by us whose other end is the kernel: what is sent here the kernel receives, and the other way round. The
/// kernel completes checksums and cuts large frames before it hands them over. The device goes when the port is disposed.
/// </summary>
public sealed unsafe class TapPort : IPort
{
    private const int ReadWriteNonBlockingCloseOnExec = 0x2 | 0x800 | 0x80000;
    private const nuint SetInterface = 0x400454CA;
    private const ushort TapWithoutHeader = 0x2 | 0x1000, ManyQueues = 0x100;
    private readonly PacketPool _pool;
    private int _fd;

    /// <summary>Makes the device in the calling thread's network namespace and brings it up. It takes root, or CAP_NET_ADMIN.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="mac">Its address: that of the port beside which it stands, so that answers fit.</param>
    /// <param name="pool">Where received frames get their buffers.</param>
    /// <exception cref="IOException">It cannot be made; the message says what failed.</exception>
    public TapPort(string name, MacAddress mac, PacketPool pool)
        : this(name, mac, pool, TapWithoutHeader)
    {
        try
        {
            Configure();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private TapPort(string name, MacAddress mac, PacketPool pool, ushort flags)
    {
        (Name, Mac, _pool) = (name, mac, pool);
        _fd = Libc.Open("/dev/net/tun", ReadWriteNonBlockingCloseOnExec);
        if (_fd < 0)
        {
            throw Libc.Failed("/dev/net/tun cannot be opened (it takes root and the kernel's module tun)");
        }
        try
        {
            byte* request = stackalloc byte[NetDevice.RequestBytes];
            var bytes = new Span<byte>(request, NetDevice.RequestBytes);
            NetDevice.WriteName(bytes, name);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[NetDevice.NameBytes..], flags);
            if (Libc.IoCtl(_fd, SetInterface, request) < 0)
            {
                throw Libc.Failed($"no device '{name}' can be made");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Makes the device with a queue for each of several workers. It goes when the last of them is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="mac">Its address.</param>
    /// <param name="pools">The buffers of each worker.</param>
    /// <returns>A port for each.</returns>
    /// <exception cref="IOException">It cannot be made; the message says what failed.</exception>
    public static IReadOnlyList<TapPort> OpenFor(string name, MacAddress mac, IReadOnlyList<PacketPool> pools)
    {
        ArgumentNullException.ThrowIfNull(pools);
        ushort flags = (ushort)(TapWithoutHeader | (pools.Count > 1 ? ManyQueues : 0));
        List<TapPort> queues = [];
        try
        {
            foreach (PacketPool pool in pools)
            {
                queues.Add(new TapPort(name, mac, pool, flags));
            }
            queues[0].Configure();
            return queues;
        }
        catch
        {
            queues.ForEach(static q => q.Dispose());
            throw;
        }
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public MacAddress Mac { get; }

    /// <inheritdoc />
    public int WaitDescriptor => _fd;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        int count = 0;
        while (count < burst.Length && _pool.TryRent(_pool.BufferBytes, out Packet packet))
        {
            nint length;
            fixed (byte* bytes = packet.Bytes)
            {
                length = Libc.Read(_fd, bytes, (nuint)packet.Length);
            }
            if (length <= 0)
            {
                _pool.Return(packet);
                break;
            }
            packet.SetLength((int)length);
            burst[count++] = packet;
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
            fixed (byte* bytes = burst[count].Bytes)
            {
                if (Libc.Write(_fd, bytes, (nuint)burst[count].Length) < 0 && Marshal.GetLastPInvokeError() is Libc.TryAgain or Libc.NoBuffers)
                {
                    break;
                }
            }
            _pool.Return(burst[count]);
        }
        Counters.Sent += count;
        return count;
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    private void Configure()
    {
        using var socket = new KernelSocket(KernelSocket.Internet);
        NetDevice.SetMac(socket.Descriptor, Name, Mac);
        NetDevice.BringUp(socket.Descriptor, Name);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }
}

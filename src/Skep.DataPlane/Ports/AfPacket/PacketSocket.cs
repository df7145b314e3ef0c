using System.Runtime.InteropServices;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfPacket;

/// <summary>A packet socket with both rings mapped (packet(7), the kernel's packet_mmap document): TPACKET_V2 with offload headers.</summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    public const int FrameHeaderBytes = 32;
    public const uint StatusKernel = 0;
    public const uint StatusUser = 1;
    public const uint StatusVlan = 1 << 4;
    public const uint StatusVlanType = 1 << 6;
    public const uint StatusSendRequest = 1;
    public const uint StatusSending = 2;
    private const int PageBytes = 4096;
    private const int Family = 17;
    private const int Raw = 3;
    private const int CloseOnExec = 0x80000;
    private const int Level = 263;
    private const int AddMembership = 1, ReceiveRing = 5, Statistics = 6, Version = 10, SendRing = 13, Loss = 14, OffloadHeaders = 15, Fanout = 18, IgnoreOutgoing = 23;
    private const int VersionTwo = 1;
    private const int AllMulticast = 2;
    private const int FanoutByHash = 0 << 16, FanoutNewGroup = 0x2000 << 16, FanoutGroupMask = 0xFFFF;
    private const ushort AllProtocolsBigEndian = 0x0300;

    // Room for the largest frame that segmentation offload hands over, its header and the offload header.
    public const int ReceiveFrameBytes = 17 * PageBytes;
    private readonly int _ringBytes;
    private byte* _rings;
    private long _missed;

    [StructLayout(LayoutKind.Sequential)]
    private struct RingRequest
    {
        public uint BlockBytes, Blocks, FrameBytes, Frames;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct LinkAddress
    {
        public ushort Family, Protocol;
        public int Index;
        public ushort Hardware;
        public byte Kind, AddressBytes;
        public ulong Address;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Membership
    {
        public int Index;
        public ushort Kind, AddressBytes;
        public ulong Address;
    }

    public PacketSocket(string device, int receiveFrames, int sendFrames, int sendFrameBytes)
    {
        (ReceiveFrames, SendFrames) = (receiveFrames, sendFrames);
        SendFrameBytes = (FrameHeaderBytes + OffloadHeader.SizeBytes + sendFrameBytes + PageBytes - 1) / PageBytes * PageBytes;
        _ringBytes = ReceiveFrameBytes * receiveFrames + SendFrameBytes * sendFrames;
        Descriptor = Libc.Socket(Family, Raw | CloseOnExec, 0);
        if (Descriptor < 0)
        {
            throw Libc.Failed("no packet socket can be opened (it takes root, or the capability CAP_NET_RAW)");
        }
        try
        {
            int index = NetDevice.Index(Descriptor, device);
            Mac = NetDevice.Mac(Descriptor, device);
            MtuBytes = NetDevice.Mtu(Descriptor, device);
            Set(Version, VersionTwo, "packet rings of version 2 cannot be had");
            Set(OffloadHeaders, 1, "offload headers cannot be had");
            Set(Loss, 1, "the send ring cannot be told to pass over what it refuses");
            Set(IgnoreOutgoing, 1, "outgoing packets cannot be left out (it takes Linux 4.20)");
            SetRing(ReceiveRing, ReceiveFrameBytes, receiveFrames);
            SetRing(SendRing, SendFrameBytes, sendFrames);
            void* rings = Libc.MMap(null, (nuint)_ringBytes, 3, 1, Descriptor, 0);
            _rings = (nint)rings == -1 ? throw Libc.Failed($"the {_ringBytes} bytes of packet rings cannot be mapped") : (byte*)rings;
            var membership = new Membership { Index = index, Kind = AllMulticast };
            Check(Libc.SetSockOpt(Descriptor, Level, AddMembership, &membership, (uint)sizeof(Membership)), $"'{device}' does not take multicast");
            var address = new LinkAddress { Family = Family, Protocol = AllProtocolsBigEndian, Index = index };
            Check(Libc.Bind(Descriptor, &address, 20), $"'{device}' cannot be bound to");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Descriptor { get; private set; }

    public MacAddress Mac { get; }

    public int MtuBytes { get; }

    public int ReceiveFrames { get; }

    public int SendFrames { get; }

    public int SendFrameBytes { get; }

    public byte* ReceiveFrame(int index) => _rings + (nint)index * ReceiveFrameBytes;

    public byte* SendFrame(int index) => _rings + (nint)ReceiveFrames * ReceiveFrameBytes + (nint)index * SendFrameBytes;

    /// <summary>Tells the kernel to send what is marked.</summary>
    /// <returns>Whether it took it all; else it must be told again.</returns>
    public bool Kick()
    {
        const int dontWait = 0x40;
        return Libc.SendTo(Descriptor, null, 0, dontWait, null, 0) >= 0;
    }

    /// <summary>Shares the device's frames with other sockets: each connection's come to one of them, by a hash of addresses and ports.</summary>
    /// <param name="group">The group to join; null for a new one.</param>
    /// <returns>The group.</returns>
    public int Share(int? group)
    {
        // Fragments are not put together for the hash: all of a datagram's, the first too, are spread by addresses alone, and so together.
        int request = FanoutByHash | (group ?? FanoutNewGroup);
        Set(Fanout, request, "the device's frames cannot be spread over several workers (it must be up: ip link set … up)");
        int joined = 0;
        uint bytes = sizeof(int);
        Check(Libc.GetSockOpt(Descriptor, Level, Fanout, &joined, &bytes), "the kernel does not say over which group it spreads frames");
        return joined & FanoutGroupMask;
    }

    /// <summary>Frames that found no free slot, since the socket was opened.</summary>
    public long ReadMissed()
    {
        // Packets, then drops; the kernel begins anew each time it is asked.
        uint* counted = stackalloc uint[2];
        uint bytes = 2 * sizeof(uint);
        return Libc.GetSockOpt(Descriptor, Level, Statistics, counted, &bytes) < 0 ? Interlocked.Read(ref _missed) : Interlocked.Add(ref _missed, counted[1]);
    }

    private void SetRing(int option, int frameBytes, int frames)
    {
        var request = new RingRequest { BlockBytes = (uint)frameBytes, Blocks = (uint)frames, FrameBytes = (uint)frameBytes, Frames = (uint)frames };
        Check(Libc.SetSockOpt(Descriptor, Level, option, &request, (uint)sizeof(RingRequest)), $"no ring of {frames} frames of {frameBytes} bytes can be had");
    }

    private void Set(int option, int value, string otherwise) =>
        Check(Libc.SetSockOpt(Descriptor, Level, option, &value, sizeof(int)), otherwise);

    private static void Check(int result, string otherwise)
    {
        if (result < 0)
        {
            throw Libc.Failed(otherwise);
        }
    }

    public void Dispose()
    {
        if (_rings != null)
        {
            _ = Libc.MUnmap(_rings, (nuint)_ringBytes);
            _rings = null;
        }
        if (Descriptor >= 0)
        {
            _ = Libc.Close(Descriptor);
            Descriptor = -1;
        }
    }
}

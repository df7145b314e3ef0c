using System.Numerics;
using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>An AF_XDP socket whose umem is a packet pool's memory, with its four rings (include/uapi/linux/if_xdp.h).</summary>
internal sealed unsafe class XdpSocket : IDisposable
{
    /// <summary>What the kernel leaves free before each received frame (XDP_PACKET_HEADROOM).</summary>
    public const int HeadroomBytes = 256;
    public const int MinStrideBytes = 2048, MaxStrideBytes = 4096;
    private const int Family = 44, Raw = 3, CloseOnExec = 0x80000, Level = 283;
    private const int Offsets = 1, RxRing = 2, TxRing = 3, UmemRegister = 4, FillRing = 5, CompletionRing = 6, Statistics = 7, Options = 8;
    private const long TxPage = 0x8000_0000, FillPage = 0x1_0000_0000, CompletionPage = 0x1_8000_0000;
    private const ushort Copy = 2, ZeroCopy = 4, UseNeedWakeup = 8;
    private const uint UnalignedChunks = 1;
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(2);

    [StructLayout(LayoutKind.Sequential)]
    private struct Umem
    {
        public ulong Address, Bytes;
        public uint ChunkBytes, HeadroomBytes, Flags, MetadataBytes;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SocketAddress
    {
        public ushort Family, Flags;
        public uint Device, Queue, SharedUmem;
    }

    public XdpSocket()
    {
        Descriptor = Libc.Socket(Family, Raw | CloseOnExec, 0);
        if (Descriptor < 0)
        {
            throw Libc.Failed(Marshal.GetLastPInvokeError() == Libc.FamilyNotSupported
                ? "this kernel has no AF_XDP (it takes Linux 5.9 and CONFIG_XDP_SOCKETS); the port afpacket does without"
                : "no AF_XDP socket can be opened (it takes root, or the capabilities CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF)");
        }
    }

    public int Descriptor { get; private set; }

    /// <summary>Whether the umem's frames may cross pages, so that an address in the rx ring holds the offset in its upper bits.</summary>
    public bool IsUnaligned { get; private set; }

    public XdpRing Fill { get; private set; } = null!;

    public XdpRing Completion { get; private set; } = null!;

    public XdpRing Rx { get; private set; } = null!;

    public XdpRing Tx { get; private set; } = null!;

    /// <summary>Makes the pool's memory the umem, and the rings.</summary>
    public void Map(PacketPool pool, int receiveFrames, int sendFrames)
    {
        IsUnaligned = !BitOperations.IsPow2(pool.StrideBytes);
        var umem = new Umem
        {
            Address = (ulong)pool.Memory,
            Bytes = pool.MemoryBytes,
            ChunkBytes = (uint)pool.StrideBytes,
            Flags = IsUnaligned ? UnalignedChunks : 0,
        };
        if (Libc.SetSockOpt(Descriptor, Level, UmemRegister, &umem, (uint)sizeof(Umem)) < 0)
        {
            throw Libc.Failed(Marshal.GetLastPInvokeError() == Libc.NoBuffers
                ? $"the pool's {pool.MemoryBytes} bytes are more than this process may lock: raise its limit (ulimit -l, LimitMEMLOCK=), or give it CAP_IPC_LOCK"
                : $"the pool's {pool.MemoryBytes} bytes cannot be shared with the kernel");
        }
        SetRing(FillRing, receiveFrames);
        SetRing(CompletionRing, sendFrames);
        SetRing(RxRing, receiveFrames);
        SetRing(TxRing, sendFrames);
        XdpRingOffsets* offsets = stackalloc XdpRingOffsets[4];
        uint bytes = (uint)(4 * sizeof(XdpRingOffsets));
        if (Libc.GetSockOpt(Descriptor, Level, Offsets, offsets, &bytes) < 0 || bytes != 4 * sizeof(XdpRingOffsets))
        {
            throw Libc.Failed("the rings' layout cannot be asked for (it takes Linux 5.4)");
        }
        Rx = new XdpRing(Descriptor, 0, offsets[0], receiveFrames, sizeof(XdpDescriptor), weProduce: false);
        Tx = new XdpRing(Descriptor, TxPage, offsets[1], sendFrames, sizeof(XdpDescriptor), weProduce: true);
        Fill = new XdpRing(Descriptor, FillPage, offsets[2], receiveFrames, sizeof(ulong), weProduce: true);
        Completion = new XdpRing(Descriptor, CompletionPage, offsets[3], sendFrames, sizeof(ulong), weProduce: false);
    }

    /// <summary>Binds to a queue.</summary>
    /// <returns>0, or errno.</returns>
    public int Bind(int device, int queue, bool zeroCopy)
    {
        var address = new SocketAddress
        {
            Family = Family,
            Flags = (ushort)(UseNeedWakeup | (zeroCopy ? ZeroCopy : Copy)),
            Device = (uint)device,
            Queue = (uint)queue,
        };
        // The kernel lets go of a closed socket's queue a moment after close(2) has returned.
        for (long start = TimeProvider.System.GetTimestamp(); ;)
        {
            if (Libc.Bind(Descriptor, &address, (uint)sizeof(SocketAddress)) >= 0)
            {
                return 0;
            }
            int error = Marshal.GetLastPInvokeError();
            if (error != Libc.Busy || TimeProvider.System.GetElapsedTime(start) > ReleasePatience)
            {
                return error;
            }
            Thread.Sleep(1);
        }
    }

    /// <summary>Whether the device reads and writes the umem itself.</summary>
    public bool IsZeroCopy()
    {
        uint flags = 0, bytes = sizeof(uint);
        return Libc.GetSockOpt(Descriptor, Level, Options, &flags, &bytes) >= 0 && (flags & 1) != 0;
    }

    /// <summary>Tells the kernel to send what is in the tx ring.</summary>
    /// <returns>Whether it took it all; else it must be told again.</returns>
    public bool Kick()
    {
        const int dontWait = 0x40;
        return Libc.SendTo(Descriptor, null, 0, dontWait, null, 0) >= 0;
    }

    public XdpLosses ReadLosses()
    {
        ulong* numbers = stackalloc ulong[6];
        new Span<ulong>(numbers, 6).Clear();
        uint bytes = 6 * sizeof(ulong);
        _ = Libc.GetSockOpt(Descriptor, Level, Statistics, numbers, &bytes);
        return new XdpLosses((long)numbers[0], (long)numbers[3], (long)numbers[4], (long)(numbers[1] + numbers[2]));
    }

    private void SetRing(int ring, int entries)
    {
        if (Libc.SetSockOpt(Descriptor, Level, ring, &entries, sizeof(int)) < 0)
        {
            throw Libc.Failed($"no ring of {entries} frames can be had");
        }
    }

    public void Dispose()
    {
        if (Descriptor >= 0)
        {
            _ = Libc.Close(Descriptor);
            Descriptor = -1;
        }
        // Null where opening broke off before they were made.
        Rx?.Dispose();
        Tx?.Dispose();
        Fill?.Dispose();
        Completion?.Dispose();
    }
}

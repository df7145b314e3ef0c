using System.Runtime.InteropServices;
using Skep.DataPlane.Native;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>A frame in the umem: an entry of the rx and tx rings (struct xdp_desc).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XdpDescriptor
{
    public ulong Address;
    public uint Length;
    public uint Options;
}

/// <summary>Where the parts of a ring lie in its mapping (struct xdp_ring_offset).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XdpRingOffsets
{
    public ulong Producer, Consumer, Entries, Flags;
}

/// <summary>
/// One of the four rings shared with the kernel. We are at one end, producer of fill and tx, consumer of rx and completion; the
/// indexes count on and wrap by themselves.
/// </summary>
internal sealed unsafe class XdpRing : IDisposable
{
    private const uint NeedWakeup = 1;
    private readonly bool _weProduce;
    private readonly uint _entries;
    private readonly nuint _mappedBytes;
    private readonly uint* _ours, _theirs, _flags;
    private readonly byte* _slots;
    private byte* _mapped;
    private uint _at;

    public XdpRing(int socket, long pageOffset, in XdpRingOffsets offsets, int entries, int entryBytes, bool weProduce)
    {
        const int readWrite = 3, sharedPopulated = 0x8001;
        (_weProduce, _entries) = (weProduce, (uint)entries);
        _mappedBytes = (nuint)offsets.Entries + (nuint)entries * (nuint)entryBytes;
        void* mapped = Libc.MMap(null, _mappedBytes, readWrite, sharedPopulated, socket, (nint)pageOffset);
        _mapped = (nint)mapped == -1 ? throw Libc.Failed($"the ring of {entries} frames cannot be mapped") : (byte*)mapped;
        uint* producer = (uint*)(_mapped + offsets.Producer), consumer = (uint*)(_mapped + offsets.Consumer);
        _ours = weProduce ? producer : consumer;
        _theirs = weProduce ? consumer : producer;
        _flags = (uint*)(_mapped + offsets.Flags);
        _slots = _mapped + offsets.Entries;
    }

    /// <summary>Whether the kernel wants to be called before it looks at the ring again.</summary>
    public bool WantsWakeup => (Volatile.Read(ref *_flags) & NeedWakeup) != 0;

    /// <summary>Entries that can be written, or read, now.</summary>
    public int Ready()
    {
        uint theirs = Volatile.Read(ref *_theirs);
        return (int)Math.Min(_weProduce ? _entries - (_at - theirs) : theirs - _at, _entries);
    }

    /// <summary>An entry of fill and completion, counted from the first that is ready.</summary>
    public ref ulong Address(int index) => ref ((ulong*)_slots)[(_at + (uint)index) & (_entries - 1)];

    /// <summary>An entry of rx and tx, counted from the first that is ready.</summary>
    public ref XdpDescriptor Descriptor(int index) => ref ((XdpDescriptor*)_slots)[(_at + (uint)index) & (_entries - 1)];

    /// <summary>Hands entries over.</summary>
    public void Advance(int count)
    {
        _at += (uint)count;
        Volatile.Write(ref *_ours, _at);
    }

    public void Dispose()
    {
        if (_mapped != null)
        {
            _ = Libc.MUnmap(_mapped, _mappedBytes);
            _mapped = null;
        }
    }
}

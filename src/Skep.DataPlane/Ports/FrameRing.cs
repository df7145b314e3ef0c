using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.DataPlane.Ports;

/// <summary>A bounded ring of frames for one writer and one reader, without locks; frames are copied in and out.</summary>
internal sealed unsafe class FrameRing : IDisposable
{
    private const int HeadBytes = 2 * sizeof(int);
    private readonly int _slotBytes;
    private readonly int _strideBytes;
    private readonly int _mask;
    private byte* _slots;
    private Positions _positions;

    // Writer and reader each have their cache line, and there a copy of the other's position that is read anew only when it must.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Positions
    {
        [FieldOffset(64)] public long Written;
        [FieldOffset(72)] public long ReadSeen;
        [FieldOffset(128)] public long Read;
        [FieldOffset(136)] public long WrittenSeen;
    }

    public FrameRing(int slots, int slotBytes)
    {
        int count = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)slots);
        _mask = count - 1;
        _slotBytes = slotBytes;
        _strideBytes = ((HeadBytes + slotBytes + 63) / 64 | 1) * 64;
        _slots = (byte*)NativeMemory.AlignedAlloc((nuint)count * (nuint)_strideBytes, 64);
        NativeMemory.Clear(_slots, (nuint)count * (nuint)_strideBytes);
    }

    /// <summary>Whether the reader would find nothing.</summary>
    public bool IsEmpty => Volatile.Read(ref _positions.Written) == Volatile.Read(ref _positions.Read);

    /// <summary>Adds a frame.</summary>
    /// <param name="frame">Its bytes, which are copied.</param>
    /// <param name="note">Goes with it.</param>
    /// <returns>False where the ring is full or the frame longer than a slot.</returns>
    public bool TryWrite(ReadOnlySpan<byte> frame, int note = 0)
    {
        if (frame.Length > _slotBytes)
        {
            return false;
        }
        long position = _positions.Written;
        if (position - _positions.ReadSeen > _mask)
        {
            _positions.ReadSeen = Volatile.Read(ref _positions.Read);
            if (position - _positions.ReadSeen > _mask)
            {
                return false;
            }
        }
        byte* slot = _slots + (position & _mask) * _strideBytes;
        *(int*)slot = frame.Length;
        *(int*)(slot + sizeof(int)) = note;
        frame.CopyTo(new Span<byte>(slot + HeadBytes, frame.Length));
        Volatile.Write(ref _positions.Written, position + 1);
        return true;
    }

    /// <summary>Looks at the oldest frame, which stays until <see cref="Advance"/>.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> frame) => TryPeek(out frame, out _);

    /// <summary>The same, with what was noted of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPeek(out ReadOnlySpan<byte> frame, out int note)
    {
        long position = _positions.Read;
        if (position == _positions.WrittenSeen)
        {
            _positions.WrittenSeen = Volatile.Read(ref _positions.Written);
            if (position == _positions.WrittenSeen)
            {
                frame = default;
                note = 0;
                return false;
            }
        }
        byte* slot = _slots + (position & _mask) * _strideBytes;
        note = *(int*)(slot + sizeof(int));
        frame = new ReadOnlySpan<byte>(slot + HeadBytes, *(int*)slot);
        return true;
    }

    /// <summary>Gives the oldest frame's slot back to the writer.</summary>
    public void Advance() => Volatile.Write(ref _positions.Read, _positions.Read + 1);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_slots);
        _slots = null;
    }
}

using System.Buffers.Binary;
using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Capture;

/// <summary>
/// One worker's frames on their way to one who looks at them. The worker copies what the filter wants into a ring and never waits: what
/// does not fit is counted as lost.
/// </summary>
internal sealed class CaptureTap : IDisposable
{
    /// <summary>Frames that wait at most.</summary>
    public const int RingFrames = 4_096;

    private const int HeadBytes = 24;
    private readonly CaptureFilter _filter;
    private readonly TimeProvider _time;
    private readonly FrameRing _ring;
    private readonly byte[] _record;
    private long _lost;

    /// <param name="filter">What is wanted.</param>
    /// <param name="maxFrameBytes">Frames are cut off behind this.</param>
    /// <param name="time">Stamps them.</param>
    /// <param name="ringFrames">How many wait at most.</param>
    public CaptureTap(CaptureFilter filter, int maxFrameBytes, TimeProvider time, int ringFrames = RingFrames)
    {
        (_filter, _time) = (filter, time);
        _record = new byte[HeadBytes + maxFrameBytes];
        _ring = new FrameRing(ringFrames, _record.Length);
    }

    /// <summary>The worker shows a frame. Allocates nothing.</summary>
    public void See(ReadOnlySpan<byte> frame, int port, bool outgoing)
    {
        if (!_filter.Wants(frame, port))
        {
            return;
        }
        Span<byte> record = _record;
        int kept = Math.Min(frame.Length, record.Length - HeadBytes);
        BinaryPrimitives.WriteInt64LittleEndian(record, (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], _lost);
        BinaryPrimitives.WriteInt32LittleEndian(record[16..], frame.Length);
        record[20] = (byte)port;
        record[21] = outgoing ? (byte)1 : (byte)0;
        frame[..kept].CopyTo(record[HeadBytes..]);
        _lost += _ring.TryWrite(record[..(HeadBytes + kept)]) ? 0 : 1;
    }

    /// <summary>When the oldest frame came that was not read yet; null where there is none.</summary>
    public long? OldestUnixNs => _ring.TryPeek(out ReadOnlySpan<byte> record) ? BinaryPrimitives.ReadInt64LittleEndian(record) : null;

    /// <summary>The oldest frame that was not read yet.</summary>
    public bool TryRead(out Captured captured)
    {
        captured = default;
        if (!_ring.TryPeek(out ReadOnlySpan<byte> record))
        {
            return false;
        }
        captured = new Captured(
            BinaryPrimitives.ReadInt64LittleEndian(record), BinaryPrimitives.ReadInt64LittleEndian(record[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[16..]), record[20], record[21] != 0, record[HeadBytes..].ToArray());
        _ring.Advance();
        return true;
    }

    /// <summary>Frees the ring. No worker may hold the tap any more.</summary>
    public void Dispose() => _ring.Dispose();
}

/// <summary>A frame that was captured.</summary>
internal readonly record struct Captured(long UnixNs, long LostBefore, int Length, int Port, bool IsOutgoing, byte[] Bytes);

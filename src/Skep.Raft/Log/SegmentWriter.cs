using System.Buffers;

namespace Skep.Raft.Log;

/// <summary>
/// The one segment that is written to: where it ends, and the number of the next frame. Each place of it is
/// written once, so no nonce comes twice.
/// </summary>
internal sealed class SegmentWriter(Segment segment, FrameCipher cipher, long sizeBytes) : IDisposable
{
    private ulong _counter;

    public Segment Segment => segment;

    public long EndBytes { get; private set; } = LogFormat.HeaderSizeBytes;

    public long SizeBytes => sizeBytes;

    /// <summary>Frames a batch for the current end and counts it as written, whether or not it will be.</summary>
    public void Frame(IReadOnlyList<LogRecord> records, ArrayBufferWriter<byte> output, List<FrameHeader> frames)
    {
        var start = EndBytes;
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            var size = LogFormat.PaddedFrameSize(record.Payload.Length);
            cipher.Write(output.GetSpan(size)[..size], EndBytes, start, _counter, record);
            output.Advance(size);
            frames.Add(new FrameHeader(EndBytes, start, _counter, record));
            EndBytes += size;
            _counter++;
        }
    }

    /// <summary>The key is not needed for writing any more; the segment stays open for reading.</summary>
    public void Dispose() => cipher.Dispose();
}

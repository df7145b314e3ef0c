using Microsoft.Win32.SafeHandles;

namespace Swarmctl.Sketches.Reading;

/// <summary>A file that is read in segments by whoever has time. A line belongs to the segment in which it begins.</summary>
/// <param name="handle">The file, open.</param>
/// <param name="lengthBytes">How much of it is read.</param>
/// <param name="headerBytes">How much of its beginning is left out.</param>
internal sealed class LineFile(SafeFileHandle handle, long lengthBytes, long headerBytes) : IDisposable
{
    public const long SegmentBytes = 4 * 1024 * 1024;

    // What is read beyond a segment, for the end of its last line.
    private const int TailBytes = 4096;

    public long Segments => (lengthBytes - headerBytes + SegmentBytes - 1) / SegmentBytes;

    public void Read(long segment, LineBuffer buffer, BufferConsumer consumer, Progress progress)
    {
        long begin = headerBytes + (segment * SegmentBytes), end = Math.Min(lengthBytes, begin + SegmentBytes);
        bool inside = segment > 0;
        long at = inside ? begin - 1 : begin;
        buffer.Cut(0);
        while (at < end)
        {
            Span<byte> free = buffer.Free;
            int read = RandomAccess.Read(handle, free[..(int)Math.Min(free.Length, end - at)], at);
            if (read == 0)
            {
                break;
            }
            at += read;
            progress.Add(read);
            buffer.Filled(read);
            if (inside)
            {
                // The rest of the line that began before.
                int newline = buffer.Content.IndexOf((byte)'\n');
                inside = newline < 0;
                buffer.Drop(inside ? buffer.Held : newline + 1);
            }
            if (!inside)
            {
                buffer.Drop(consumer.TakeLines(buffer.Content));
            }
        }
        if (!inside && buffer.Held > 0)
        {
            ReadTail(at, buffer, consumer);
        }
    }

    public void Dispose() => handle.Dispose();

    private void ReadTail(long at, LineBuffer buffer, BufferConsumer consumer)
    {
        while (true)
        {
            Span<byte> free = buffer.Free;
            free = free[..Math.Min(free.Length, TailBytes)];
            int read = RandomAccess.Read(handle, free, at);
            int newline = free[..read].IndexOf((byte)'\n');
            buffer.Filled(newline < 0 ? read : newline);
            if (read == 0 || newline >= 0)
            {
                consumer.TakeLine(buffer.Content);
                return;
            }
            at += read;
        }
    }
}

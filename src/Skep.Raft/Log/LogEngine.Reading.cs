using System.Buffers;

namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
    // Fewer are decrypted before another thread has begun to help.
    private const int ManyEntries = 512;

    /// <summary>Reads what the log knows of a group, consistently.</summary>
    public T Read<T>(ulong group, Func<GroupLog, T> read)
    {
        lock (_gate)
        {
            return read(Group(group));
        }
    }

    /// <summary>Entries of a group from an index on, at least one if there is one; more as they fit and lie in the same file.</summary>
    /// <exception cref="LogCorruptException">A record does not read back as it was written.</exception>
    public IReadOnlyList<LogRecord> ReadEntries(ulong group, ulong fromIndex, int maxSizeBytes)
    {
        lock (_gate)
        {
            var log = Group(group);
            if (fromIndex < log.FirstIndex)
            {
                throw new ArgumentOutOfRangeException(nameof(fromIndex), fromIndex, $"entries of group {group} before {log.FirstIndex} are in the snapshot only");
            }

            if (fromIndex > log.LastIndex)
            {
                return [];
            }

            // One read for all that lie in one stretch of one file.
            var first = log.PlaceOf(fromIndex);
            var end = first.OffsetBytes + first.LengthBytes;
            var count = 1UL;
            for (; fromIndex + count <= log.LastIndex; count++)
            {
                var place = log.PlaceOf(fromIndex + count);
                if (place.Segment != first.Segment || place.OffsetBytes + place.LengthBytes - first.OffsetBytes > maxSizeBytes)
                {
                    break;
                }

                end = place.OffsetBytes + place.LengthBytes;
            }

            var size = (int)(end - first.OffsetBytes);
            var image = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                first.Segment.Read(first.OffsetBytes, image.AsSpan(0, size));
                return Decode(log, fromIndex, (int)count, image);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(image);
            }
        }
    }

    /// <summary>Decrypts entries that lie in one stretch, of which the bytes have been read; many of them by two threads.</summary>
    private static LogRecord[] Decode(GroupLog log, ulong fromIndex, int count, byte[] image)
    {
        var start = log.PlaceOf(fromIndex).OffsetBytes;
        var records = new LogRecord[count];
        if (count < ManyEntries)
        {
            DecodePart(0, count, 0);
            return records;
        }

        var half = count / 2;

        // Nobody free to help does no harm: who waits for a task that has not begun does it.
        var rest = Task.Run(() => DecodePart(half, count, 1));
        try
        {
            DecodePart(0, half, 0);
        }
        finally
        {
            rest.GetAwaiter().GetResult();
        }

        return records;

        void DecodePart(int begin, int end, int reader)
        {
            for (var i = begin; i < end; i++)
            {
                var place = log.PlaceOf(fromIndex + (ulong)i);
                records[i] = place.Segment.Decode(image.AsSpan((int)(place.OffsetBytes - start), place.LengthBytes), place.OffsetBytes, reader);
            }
        }
    }
}

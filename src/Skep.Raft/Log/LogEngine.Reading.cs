using System.Buffers;

namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
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
        var result = new List<LogRecord>();
        lock (_gate)
        {
            var log = Group(group);
            if (fromIndex < log.FirstIndex)
            {
                throw new ArgumentOutOfRangeException(nameof(fromIndex), fromIndex, $"entries of group {group} before {log.FirstIndex} are in the snapshot only");
            }

            if (fromIndex > log.LastIndex)
            {
                return result;
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

            result.Capacity = (int)count;
            var size = (int)(end - first.OffsetBytes);
            var image = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                first.Segment.Read(first.OffsetBytes, image.AsSpan(0, size));
                for (var i = 0UL; i < count; i++)
                {
                    var place = log.PlaceOf(fromIndex + i);
                    result.Add(place.Segment.Decode(image.AsSpan((int)(place.OffsetBytes - first.OffsetBytes), place.LengthBytes), place.OffsetBytes));
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(image);
            }
        }

        return result;
    }
}

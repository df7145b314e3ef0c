using System.Buffers.Binary;

namespace Skep.Raft.Log;

/// <summary>A record and where its frame lies.</summary>
internal readonly record struct ScannedRecord(LogRecord Record, FrameHeader Frame);

/// <summary>A bad record where all was durable once.</summary>
internal sealed record SegmentDamage(long OffsetBytes, string Reason);

/// <summary>What a segment holds, and whether it may be trusted.</summary>
/// <param name="Records">The sound records from the start on.</param>
/// <param name="EndBytes">Behind the last of them.</param>
/// <param name="DurableEndBytes">Everything before this was durable for certain; between here and the end lies the last batch.</param>
/// <param name="Damage">Set when the segment must be refused.</param>
internal sealed record SegmentScan(
    IReadOnlyList<ScannedRecord> Records, long EndBytes, long DurableEndBytes, SegmentDamage? Damage)
{
    /// <summary>
    /// Reads a segment and decides, at the first bad record, between a torn tail and corruption. Writers sync
    /// batch by batch, and each frame names the start of its batch. A frame anywhere behind the bad one whose
    /// batch begins behind it as well was written after the bad one had been durable: corruption. Otherwise
    /// the bad one is of the last batch, whose sectors may have reached the disk in any order or not at all:
    /// a tear, cut here.
    /// </summary>
    /// <param name="image">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="cipher">Its cipher.</param>
    /// <param name="knownEnd">The end as the next segment's header states it; null for the last segment.</param>
    /// <param name="text">As long as the image; receives the plain text, in which the payloads lie.</param>
    public static SegmentScan Read(
        ReadOnlyMemory<byte> image, FileHeader header, FrameCipher cipher, long? knownEnd, Memory<byte> text)
    {
        var limit = image;
        if (knownEnd is { } end)
        {
            if (end > image.Length || end < header.InitialEndBytes)
            {
                return new SegmentScan([], 0, 0, new SegmentDamage(image.Length, $"the file has {image.Length} bytes, the next segment says its records end at {end}"));
            }

            limit = image[..(int)end];
        }

        var records = new List<ScannedRecord>();
        var durable = header.InitialEndBytes;
        long offset = LogFormat.HeaderSizeBytes;
        string? wrong = null;
        while (offset < limit.Length && wrong is null)
        {
            wrong = ReadRecord(limit, offset, cipher, text, out var scanned);
            if (wrong is null && scanned.Frame.Counter != (ulong)records.Count)
            {
                wrong = $"the record is number {scanned.Frame.Counter}, expected {records.Count}";
            }

            if (wrong is null)
            {
                records.Add(scanned);
                durable = Math.Max(durable, scanned.Frame.BatchStartBytes);
                offset += scanned.Frame.PaddedLengthBytes;
            }
        }

        if (knownEnd is not null)
        {
            var damage = wrong is null ? null : new SegmentDamage(offset, wrong);
            return new SegmentScan(records, offset, offset, damage);
        }

        wrong ??= "the file ends here";
        if (offset < durable || LaterBatch(limit, offset, cipher, text))
        {
            return new SegmentScan(records, offset, durable, new SegmentDamage(offset, wrong));
        }

        return new SegmentScan(records, offset, durable, null);
    }

    private static string? ReadRecord(
        ReadOnlyMemory<byte> file, long offset, FrameCipher cipher, Memory<byte> text, out ScannedRecord scanned)
    {
        scanned = default;
        var rest = file.Span[(int)offset..];
        if (FrameHeader.Read(rest, offset, out var frame) is { } wrong)
        {
            return wrong;
        }

        wrong = cipher.Read(rest[..frame.LengthBytes], frame, text[(int)offset..], out var record);
        scanned = new ScannedRecord(record, frame);
        return wrong;
    }

    /// <summary>Is there, behind the bad record, a sound one whose batch begins behind it?</summary>
    private static bool LaterBatch(ReadOnlyMemory<byte> file, long bad, FrameCipher cipher, Memory<byte> text)
    {
        var offset = bad + LogFormat.AlignmentBytes;
        while (offset < file.Length)
        {
            var rest = file.Span[(int)offset..];
            var skip = rest.IndexOfAnyExcept((byte)0);
            if (skip < 0)
            {
                return false;
            }

            offset += skip / LogFormat.AlignmentBytes * LogFormat.AlignmentBytes;
            if (BinaryPrimitives.TryReadUInt32LittleEndian(file.Span[(int)offset..], out var place)
                && place == offset / LogFormat.AlignmentBytes
                && ReadRecord(file, offset, cipher, text, out var scanned) is null)
            {
                if (scanned.Frame.BatchStartBytes > bad)
                {
                    return true;
                }

                offset += scanned.Frame.PaddedLengthBytes;
            }
            else
            {
                offset += LogFormat.AlignmentBytes;
            }
        }

        return false;
    }
}

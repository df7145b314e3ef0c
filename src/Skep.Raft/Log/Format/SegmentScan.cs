namespace Skep.Raft.Log;

/// <summary>A bad record where all was durable once.</summary>
internal sealed record SegmentDamage(long OffsetBytes, string Reason);

/// <summary>What a segment holds, and whether it may be trusted.</summary>
/// <param name="Frames">The sound frames from the start on; their tags have not been verified.</param>
/// <param name="EndBytes">Behind the last of them.</param>
/// <param name="DurableEndBytes">Everything before this was durable for certain; between here and the end lies the last batch.</param>
/// <param name="Damage">Set when the segment must be refused.</param>
internal sealed record SegmentScan(
    IReadOnlyList<FrameHeader> Frames, long EndBytes, long DurableEndBytes, SegmentDamage? Damage)
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
    /// <param name="knownEnd">The end as the next segment's header states it; null for the last segment.</param>
    public static SegmentScan Read(ReadOnlySpan<byte> image, FileHeader header, long? knownEnd)
    {
        if (knownEnd is { } end)
        {
            if (end > image.Length || end < header.InitialEndBytes)
            {
                return new SegmentScan([], 0, 0, new SegmentDamage(image.Length, $"the file has {image.Length} bytes, the next segment says its records end at {end}"));
            }

            image = image[..(int)end];
        }

        var frames = new List<FrameHeader>();
        var durable = header.InitialEndBytes;
        long offset = LogFormat.HeaderSizeBytes;
        string? wrong = null;
        while (offset < image.Length)
        {
            wrong = FrameHeader.Read(image[(int)offset..], offset, out var frame);
            if (wrong is null && frame.Counter != (ulong)frames.Count)
            {
                wrong = $"the record is number {frame.Counter}, expected {frames.Count}";
            }

            if (wrong is not null)
            {
                break;
            }

            frames.Add(frame);
            durable = Math.Max(durable, frame.BatchStartBytes);
            offset += frame.PaddedLengthBytes;
        }

        var isDamage = knownEnd is null ? offset < durable || LaterBatch(image, offset) : wrong is not null;
        var damage = isDamage ? new SegmentDamage(offset, wrong ?? "the file ends here") : null;
        return new SegmentScan(frames, offset, knownEnd is null ? durable : offset, damage);
    }

    /// <summary>Is there, behind the bad record, a sound one whose batch begins behind it?</summary>
    private static bool LaterBatch(ReadOnlySpan<byte> image, long bad)
    {
        var offset = bad + LogFormat.AlignmentBytes;
        while (offset < image.Length)
        {
            var skip = image[(int)offset..].IndexOfAnyExcept((byte)0);
            if (skip < 0)
            {
                return false;
            }

            offset += skip / LogFormat.AlignmentBytes * LogFormat.AlignmentBytes;
            if (FrameHeader.Read(image[(int)offset..], offset, out var frame) is not null)
            {
                offset += LogFormat.AlignmentBytes;
                continue;
            }

            if (frame.BatchStartBytes > bad)
            {
                return true;
            }

            offset += frame.PaddedLengthBytes;
        }

        return false;
    }
}

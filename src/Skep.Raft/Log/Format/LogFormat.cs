namespace Skep.Raft.Log;

/// <summary>Sizes and names of format version 1; docs/adr/0002-log-format.md describes the same bytes in words.</summary>
internal static class LogFormat
{
    public const uint Version = 1;

    public const int HeaderSizeBytes = 4096;
    public const int FrameHeaderSizeBytes = 56;
    public const int TagSizeBytes = 16;
    public const int AlignmentBytes = 8;

    public const int DataKeySizeBytes = 32;
    public const int KeyIdSizeBytes = 16;
    public const int SaltSizeBytes = 32;

    /// <summary>A proposal is at most 1.5 MiB; the rest is room for those who frame it once more.</summary>
    public const int MaxPayloadSizeBytes = 4 * 1024 * 1024;

    public const int FrameOverheadBytes = FrameHeaderSizeBytes + TagSizeBytes;

    /// <summary>Space a record of this payload takes in a file, padding included.</summary>
    public static int PaddedFrameSize(int payloadSizeBytes) => Align(FrameOverheadBytes + payloadSizeBytes);

    public static long PaddedFrameSizes(IReadOnlyList<LogRecord> records)
    {
        long size = 0;
        for (var i = 0; i < records.Count; i++)
        {
            size += PaddedFrameSize(records[i].Payload.Length);
        }

        return size;
    }

    public static int Align(int size) => (size + AlignmentBytes - 1) & ~(AlignmentBytes - 1);
}

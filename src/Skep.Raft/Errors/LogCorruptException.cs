namespace Skep.Raft;

/// <summary>
/// Bytes that were once durable do not read back as written. The log refuses to open rather than to go on
/// without acknowledged data.
/// </summary>
public sealed class LogCorruptException : RaftLogException
{
    internal LogCorruptException(string file, long offsetBytes, string reason, Exception? inner = null)
        : base($"{file} is corrupt at offset {offsetBytes}: {reason}; restore this state directory from a backup, or remove it and let this member join again", inner)
    {
        File = file;
        OffsetBytes = offsetBytes;
    }

    /// <summary>Path of the file that holds the bad bytes.</summary>
    public string File { get; }

    /// <summary>Where in the file the first bad record (or header) begins, in bytes.</summary>
    public long OffsetBytes { get; }
}

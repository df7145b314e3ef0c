namespace Skep.Raft;

/// <summary>
/// A write or a sync of the log failed. What was being written may or may not be on disk, so the log takes no
/// further write until the process has been started again: a failed fdatasync is never retried, because the
/// kernel may have dropped the very pages that could not be written.
/// </summary>
public sealed class LogFailedException : RaftLogException
{
    internal LogFailedException(string folder, Exception inner)
        : base($"the raft log in {folder} failed and takes no more writes: {inner.Message}; check the disk, then start the process again", inner)
    {
    }
}

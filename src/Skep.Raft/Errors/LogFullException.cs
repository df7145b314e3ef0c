namespace Skep.Raft;

/// <summary>
/// The disk has no room for what was to be written. Nothing of it was written, the log is as it was before,
/// and the same call succeeds again as soon as there is room.
/// </summary>
public sealed class LogFullException : RaftLogException
{
    internal LogFullException(string folder, Exception inner)
        : base($"no space left for the raft log in {folder}: the write was refused and nothing of it was kept; free space on that file system and writes go on by themselves ({inner.Message})", inner)
    {
    }
}

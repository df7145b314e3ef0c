namespace Skep.Raft.Log;

/// <summary>A call on a file or folder failed.</summary>
internal sealed class DiskException : IOException
{
    public DiskException(string call, string path, int errno, string meaning)
        : base($"{call} {path}: {meaning} (errno {errno})") => Errno = errno;

    public int Errno { get; }

    /// <summary>No space, or the quota or file size limit is reached: mended by making room.</summary>
    public bool IsFull => Errno is Native.ENOSPC or Native.EDQUOT or Native.EFBIG;
}

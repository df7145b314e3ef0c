using System.Runtime.InteropServices;

namespace Skep.Raft.Log;

/// <summary>
/// Linux calls that .NET has not, or not with these guarantees: FileStream.Flush(true) is fsync, folders cannot
/// be synced at all, and RandomAccess hides which error it was.
/// </summary>
internal static partial class Native
{
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int ENOSYS = 38;
    public const int EOPNOTSUPP = 95;
    public const int EDQUOT = 122;

    public const int OpenReadOnlyCloseOnExec = 0x80000;
    public const int OpenReadWriteCreateCloseOnExec = 0x80000 | 0x40 | 2;
    public const int ModeOwnerOnly = 0x180;
    public const int LockExclusiveNonBlocking = 2 | 4;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int fd);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int DataSync(SafeHandle fd);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static unsafe partial nint Write(SafeHandle fd, byte* data, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeHandle fd, long length);

    /// <summary>Returns the error instead of setting it.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeHandle fd, long offset, long length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeHandle fd, int operation);

    public static DiskException Error(string call, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new DiskException(call, path, errno, Marshal.GetPInvokeErrorMessage(errno));
    }
}

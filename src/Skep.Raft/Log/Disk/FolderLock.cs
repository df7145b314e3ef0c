using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Skep.Raft.Log;

/// <summary>Keeps a folder to one log at a time; the kernel lets go of it when the process dies, however it dies.</summary>
internal sealed class FolderLock : IDisposable
{
    private const string Name = "lock";

    private readonly SafeFileHandle _handle;

    private FolderLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock or refuses at once, naming who has it.</summary>
    public static FolderLock Take(string folder)
    {
        var path = Path.Combine(folder, Name);

        // Not by .NET's own open, which takes a lock of its own on every file.
        var fd = Native.Open(path, Native.OpenReadWriteCreateCloseOnExec, Native.ModeOwnerOnly);
        if (fd < 0)
        {
            throw Native.Error("open", path);
        }

        var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (Native.Lock(handle, Native.LockExclusiveNonBlocking) != 0)
        {
            var error = Native.Error("flock", path);
            using (handle)
            {
                throw error.Errno == Native.EAGAIN ? new LogLockedException(folder, Holder(handle)) : error;
            }
        }

        // Only a help for people: a full disk is no reason to refuse the lock.
        try
        {
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), 0);
        }
        catch (IOException)
        {
        }

        return new FolderLock(handle);
    }

    public void Dispose() => _handle.Dispose();

    private static string Holder(SafeFileHandle handle)
    {
        Span<byte> text = stackalloc byte[20];
        var read = RandomAccess.Read(handle, text, 0);
        return read > 0 ? $"process {Encoding.ASCII.GetString(text[..read])}" : "another process";
    }
}

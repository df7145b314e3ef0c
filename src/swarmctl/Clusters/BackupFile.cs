using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Swarmctl.Clusters;

/// <summary>A file that is there whole or not at all, and then for its owner alone: written beside, synced, renamed, its folder synced.</summary>
internal static partial class BackupFile
{
    /// <exception cref="UserException">There is a file already, and it is not to be replaced.</exception>
    public static void CheckFree(string path, bool replace)
    {
        if (Directory.Exists(path))
        {
            throw new UserException($"{path} is a directory; name a file in it");
        }
        if (!replace && File.Exists(path))
        {
            throw new UserException($"{path} exists already; name another file, or replace it with --force");
        }
    }

    /// <returns>Its size in bytes.</returns>
    /// <exception cref="UserException">It cannot be written; nothing of it is left.</exception>
    public static async Task<long> WriteAsync(string path, bool replace, Func<Stream, Task> write)
    {
        string full = Path.GetFullPath(path);
        string part = $"{full}.{Environment.ProcessId}.part";
        try
        {
            long size;
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            var file = new FileStream(part, options);
            await using (file.ConfigureAwait(false))
            {
                await write(file).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
                size = file.Length;
            }
            CheckFree(path, replace);
            File.Move(part, full, overwrite: replace);
            SyncFolder(Path.GetDirectoryName(full)!);
            return size;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(part);
            throw new UserException($"{path} cannot be written: {e.Message}");
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    private static void SyncFolder(string folder)
    {
        using SafeFileHandle handle = Open(folder, 0);
        if (handle.IsInvalid || Sync(handle) != 0)
        {
            throw new IOException($"its folder cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle handle);
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Skep.Identity.Files;

/// <summary>
/// Files that are either the old one or the new one, whatever stops the machine in between: written beside, synced,
/// renamed over, and the folder synced.
/// </summary>
public static partial class WholeFile
{
    /// <summary>Read and write for the owner, nobody else: for keys.</summary>
    public const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>As <see cref="Secret"/>, and readable by all: for certificates.</summary>
    public const UnixFileMode Public = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode OwnerOnlyFolder = Secret | UnixFileMode.UserExecute;

    /// <summary>Replaces the file at <paramref name="path"/>, or makes it.</summary>
    /// <exception cref="IOException">The disk is full or failed; the old file, if there was one, is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode = Secret)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var beside = Path.Combine(folder, "." + Path.GetFileName(path) + ".new");

        // What an interrupted write left is worth nothing; a link put there is removed, not followed.
        File.Delete(beside);
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = Secret,
            };
            using (var file = new FileStream(beside, options))
            {
                file.Write(content);
                File.SetUnixFileMode(file.SafeFileHandle, mode);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        SyncFolder(folder);
    }

    /// <summary>Makes the folder with mode 0700 where it is missing; one that is there keeps its mode.</summary>
    public static void MakeOwnerOnlyFolder(string path) => Directory.CreateDirectory(path, OwnerOnlyFolder);

    /// <summary>Makes renames and removals in the folder last over a power cut.</summary>
    /// <exception cref="IOException">The folder could not be opened or synced.</exception>
    public static void SyncFolder(string folder)
    {
        const int readOnly = 0;
        const int directory = 0x10000;
        const int closeOnExec = 0x80000;
        using var handle = Open(folder, readOnly | DirectoryFlag(directory) | closeOnExec);
        if (handle.IsInvalid)
        {
            throw new IOException($"open folder {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        if (Sync(handle) != 0)
        {
            throw new IOException($"sync folder {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    // O_DIRECTORY is 0x4000 on ARM and 0x10000 on x86.
    private static int DirectoryFlag(int onX86) =>
        RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x4000 : onX86;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle handle);
}

namespace Skep.Raft.Log;

/// <summary>A folder of mode 0700 with files of mode 0600.</summary>
internal sealed class PosixDisk : IDisk
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public PosixDisk(string folder)
    {
        Folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(Folder, FolderMode);
        File.SetUnixFileMode(Folder, FolderMode);
    }

    public string Folder { get; }

    public IReadOnlyList<string> List() =>
        [.. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public IDiskFile Create(string name, long sizeBytes)
    {
        var path = Path.Combine(Folder, name);
        var file = OpenFile(path, System.IO.FileMode.Create);
        try
        {
            if (sizeBytes > 0)
            {
                file.Fill(sizeBytes);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    public IDiskFile Open(string name) => OpenFile(Path.Combine(Folder, name), System.IO.FileMode.Open);

    public void Rename(string from, string to)
    {
        if (Native.Rename(Path.Combine(Folder, from), Path.Combine(Folder, to)) != 0)
        {
            throw Native.Error("rename", Path.Combine(Folder, from));
        }
    }

    public void Delete(string name)
    {
        if (Native.Unlink(Path.Combine(Folder, name)) != 0)
        {
            throw Native.Error("unlink", Path.Combine(Folder, name));
        }
    }

    public void SyncFolder()
    {
        var fd = Native.Open(Folder, Native.OpenReadOnlyCloseOnExec, 0);
        if (fd < 0)
        {
            throw Native.Error("open", Folder);
        }

        try
        {
            if (Native.Sync(fd) != 0)
            {
                throw Native.Error("fsync", Folder);
            }
        }
        finally
        {
            _ = Native.Close(fd);
        }
    }

    private static PosixFile OpenFile(string path, System.IO.FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (mode != System.IO.FileMode.Open)
        {
            options.UnixCreateMode = FileMode;
        }

        try
        {
            return new PosixFile(new FileStream(path, options), path);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is Native.ENOSPC or Native.EDQUOT)
        {
            throw new DiskException("open", path, e.HResult & 0xFFFF, e.Message);
        }
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Skep.Raft.Log;

/// <summary>A file, used by its handle only; the stream is how .NET opens one with a mode.</summary>
internal sealed class PosixFile(FileStream stream, string path) : IDiskFile
{
    private readonly SafeFileHandle _handle = stream.SafeFileHandle;

    public long LengthBytes => RandomAccess.GetLength(_handle);

    public int Read(long offset, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(_handle, buffer[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    public unsafe void Write(long offset, ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            var done = 0;
            while (done < data.Length)
            {
                var written = Native.Write(_handle, start + done, (nuint)(data.Length - done), offset + done);
                if (written > 0)
                {
                    done += (int)written;
                }
                else if (Marshal.GetLastPInvokeError() != Native.EINTR)
                {
                    throw Native.Error("write", path);
                }
            }
        }
    }

    public void Sync()
    {
        if (Native.DataSync(_handle) != 0)
        {
            throw Native.Error("fdatasync", path);
        }
    }

    public void Truncate(long lengthBytes)
    {
        if (Native.Truncate(_handle, lengthBytes) != 0)
        {
            throw Native.Error("ftruncate", path);
        }
    }

    /// <summary>
    /// Reserves space and fills it with zeros. The zeros are written, not left to the file system's unwritten
    /// extents: a sync then has data to bring to disk and no metadata.
    /// </summary>
    public void Fill(long sizeBytes)
    {
        const int ChunkSizeBytes = 1024 * 1024;
        var errno = Native.Allocate(_handle, 0, sizeBytes);
        if (errno is not (0 or Native.EOPNOTSUPP or Native.ENOSYS))
        {
            throw new DiskException("fallocate", path, errno, Marshal.GetPInvokeErrorMessage(errno));
        }

        var zeros = new byte[Math.Min(ChunkSizeBytes, sizeBytes)];
        for (long offset = 0; offset < sizeBytes; offset += zeros.Length)
        {
            Write(offset, zeros.AsSpan(0, (int)Math.Min(zeros.Length, sizeBytes - offset)));

            // In pieces, so that the sync of a commit does not wait behind all of it.
            Sync();
        }
    }

    public void Dispose() => stream.Dispose();
}

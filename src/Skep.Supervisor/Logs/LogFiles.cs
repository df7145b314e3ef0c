using System.Buffers.Binary;
using System.Globalization;
using Skep.Supervisor.Native;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Logs;

/// <summary>
/// A task's log on disk: files `log.N`, N rising, at most two of them, each at most half of what the log may hold.
/// A record is unix time in ns (i64), stream (u8: 1 or 2), length (u32), bytes. It is not synced: it is worth what
/// the machine's uptime is worth, as the task is.
/// </summary>
internal static class LogFormat
{
    public const int HeadBytes = 13;
    public const byte Stdout = 1;
    public const byte Stderr = 2;

    public static string PathOf(string folder, int number) =>
        folder + "/log." + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The numbers of the files there are, lowest first.</summary>
    public static List<int> Numbers(string folder)
    {
        var numbers = new List<int>();
        if (!Directory.Exists(folder))
        {
            return numbers;
        }
        foreach (var path in Directory.EnumerateFiles(folder, "log.*"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan())[4..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }
        numbers.Sort();
        return numbers;
    }
}

/// <summary>Appends to a task's log and keeps its bound.</summary>
internal sealed unsafe class LogAppender : IDisposable
{
    private readonly string _folder;
    private readonly long _fileBytes;
    private byte[] _batch = new byte[1024];
    private int _batchLength;
    private int _fd = -1;
    private long _written;

    /// <param name="folder">The task's folder.</param>
    /// <param name="maxBytes">Most bytes of log kept.</param>
    public LogAppender(string folder, long maxBytes)
    {
        _folder = folder;
        _fileBytes = maxBytes / 2;
        // A supervisor that was killed may have left half a record at the end: never append to an old file.
        var numbers = LogFormat.Numbers(folder);
        Number = numbers.Count == 0 ? 0 : numbers[^1] + 1;
    }

    /// <summary>Number of the file written to, or of the next one.</summary>
    public int Number { get; private set; }

    public void Add(byte stream, long unixNs, ReadOnlySpan<byte> record)
    {
        var size = LogFormat.HeadBytes + record.Length;
        if (_batchLength + size > _batch.Length)
        {
            Array.Resize(ref _batch, Math.Max(_batch.Length * 2, _batchLength + size));
        }
        var at = _batch.AsSpan(_batchLength);
        BinaryPrimitives.WriteInt64LittleEndian(at, unixNs);
        at[8] = stream;
        BinaryPrimitives.WriteUInt32LittleEndian(at[9..], (uint)record.Length);
        record.CopyTo(at[LogFormat.HeadBytes..]);
        _batchLength += size;
        // A batch never crosses a file: it ends where the file would be over its bound.
        if (_batchLength >= 64 * 1024 || _written + _batchLength + LogFormat.HeadBytes + LineSplitter.MaxRecordBytes > _fileBytes)
        {
            Write();
        }
    }

    /// <summary>Writes out what was added.</summary>
    public void Write()
    {
        if (_batchLength == 0)
        {
            return;
        }
        if (_fd >= 0 && _written + _batchLength > _fileBytes)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
            Number++;
        }
        if (_fd < 0)
        {
            NodeFolders.Make(_folder);
            _fd = Libc.Open(LogFormat.PathOf(_folder, Number),
                Consts.OpenWriteOnly | Consts.OpenCreate | Consts.OpenAppend | Consts.OpenCloseOnExec, 0x180);
            _written = 0;
            foreach (var number in LogFormat.Numbers(_folder))
            {
                if (number < Number - 1)
                {
                    _ = Libc.Unlink(LogFormat.PathOf(_folder, number));
                }
            }
        }
        if (_fd >= 0)
        {
            fixed (byte* at = _batch)
            {
                if (Libc.Write(_fd, at, _batchLength) != _batchLength)
                {
                    // A full disk costs log, not the task; half a record may be there, so the file ends here.
                    _ = Libc.Close(_fd);
                    _fd = -1;
                    Number++;
                }
            }
        }
        _written += _batchLength;
        _batchLength = 0;
        if (_batch.Length > 128 * 1024)
        {
            _batch = new byte[1024];
        }
    }

    public void Dispose()
    {
        Write();
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }
}

/// <summary>Reads a task's log from its oldest record on, while it is being written.</summary>
internal sealed unsafe class LogCursor(string folder) : IDisposable
{
    private readonly byte[] _buffer = new byte[LogFormat.HeadBytes + LineSplitter.MaxRecordBytes + 48 * 1024];
    private int _at;
    private int _length;
    private int _fd = -1;
    private int _number = -1;
    private long _offset;

    /// <summary>The next record; false where there is none (yet). The span lives until the next call.</summary>
    public bool TryNext(out long unixNs, out byte stream, out ReadOnlySpan<byte> record)
    {
        while (true)
        {
            var rest = _buffer.AsSpan(_at, _length - _at);
            if (rest.Length >= LogFormat.HeadBytes)
            {
                var size = BinaryPrimitives.ReadUInt32LittleEndian(rest[9..]);
                if (size > LineSplitter.MaxRecordBytes)
                {
                    // Not a record: the file was damaged. What follows in it cannot be found.
                    _length = _at = 0;
                    _offset = long.MaxValue;
                }
                else if (rest.Length >= LogFormat.HeadBytes + (int)size)
                {
                    unixNs = BinaryPrimitives.ReadInt64LittleEndian(rest);
                    stream = rest[8];
                    record = rest.Slice(LogFormat.HeadBytes, (int)size);
                    _at += LogFormat.HeadBytes + (int)size;
                    return true;
                }
            }
            if (!Fill())
            {
                unixNs = 0;
                stream = 0;
                record = default;
                return false;
            }
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }

    private bool Fill()
    {
        if (_fd >= 0 && _offset != long.MaxValue)
        {
            _buffer.AsSpan(_at, _length - _at).CopyTo(_buffer);
            _length -= _at;
            _at = 0;
            fixed (byte* to = _buffer)
            {
                var count = Libc.PRead(_fd, to + _length, _buffer.Length - _length, _offset);
                if (count > 0)
                {
                    _length += (int)count;
                    _offset += count;
                    return true;
                }
            }
        }
        // The end of this file: only when a later one is there is it the end for good.
        foreach (var number in LogFormat.Numbers(folder))
        {
            if (number > _number)
            {
                var fd = Libc.Open(LogFormat.PathOf(folder, number), Consts.OpenReadOnly | Consts.OpenCloseOnExec);
                if (fd < 0)
                {
                    continue;
                }
                // Half a record at the end of the old one was a killed supervisor's.
                Dispose();
                (_fd, _number, _offset, _at, _length) = (fd, number, 0, 0, 0);
                return true;
            }
        }
        return false;
    }
}

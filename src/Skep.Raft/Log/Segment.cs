namespace Skep.Raft.Log;

/// <summary>One file of the log, open for reading its entries. Used under the log's lock only.</summary>
internal sealed class Segment(IDiskFile file, string path, FileHeader header, byte[] dataKey) : IDisposable
{
    private readonly Dictionary<ulong, ulong> _lastIndex = [];
    private readonly FrameCipher?[] _readers = new FrameCipher?[2];

    public IDiskFile File => file;

    public string Path => path;

    public FileHeader Header => header;

    public ulong Sequence => header.Sequence;

    /// <summary>Behind the last record.</summary>
    public long EndBytes { get; set; }

    /// <summary>The highest entry of each group that lies in this file.</summary>
    public IReadOnlyDictionary<ulong, ulong> LastIndexes => _lastIndex;

    public void Holds(ulong group, ulong index)
    {
        if (!_lastIndex.TryGetValue(group, out var last) || index > last)
        {
            _lastIndex[group] = index;
        }
    }

    /// <summary>Reads a stretch of the file.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        if (file.Read(offset, bytes) != bytes.Length)
        {
            throw new LogCorruptException(path, offset, "the file ends within a record");
        }
    }

    /// <summary>Checks and decrypts the frame at an offset, of which the bytes have been read.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="reader">0 or 1: two threads can decrypt at a time.</param>
    public LogRecord Decode(ReadOnlySpan<byte> frame, long offset, int reader = 0)
    {
        var wrong = FrameHeader.Read(frame, offset, out var head);
        LogRecord record = default;
        wrong ??= (_readers[reader] ??= new FrameCipher(dataKey, header)).Read(frame[..head.LengthBytes], head, out record);
        return wrong is null ? record : throw new LogCorruptException(path, offset, wrong);
    }

    public void Dispose()
    {
        _readers[0]?.Dispose();
        _readers[1]?.Dispose();
        file.Dispose();
    }
}

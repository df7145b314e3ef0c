using System.Buffers.Binary;

namespace Skep.Raft.Log;

/// <summary>
/// Reads a snapshot file as a stream of the state machine's bytes; each piece is checked before it is given out,
/// and a file without its end is refused.
/// </summary>
internal sealed class SnapshotReader : Stream
{
    private readonly IDiskFile _file;
    private readonly string _path;
    private readonly FrameCipher _cipher;
    private ReadOnlyMemory<byte> _chunk;
    private long _offset = LogFormat.HeaderSizeBytes;
    private ulong _counter;
    private ulong _chunks;
    private ulong _sizeBytes;
    private bool _ended;

    private SnapshotReader(IDiskFile file, string path, FrameCipher cipher)
    {
        _file = file;
        _path = path;
        _cipher = cipher;
    }

    /// <summary>The last entry that is in the snapshot, and its term.</summary>
    public ulong Index { get; private set; }

    public ulong Term { get; private set; }

    /// <summary>The group's members as of this snapshot.</summary>
    public ReadOnlyMemory<byte> Configuration { get; private set; }

    public ulong ConfigurationIndex { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a snapshot and reads its head.</summary>
    /// <exception cref="LogCorruptException">Header or head are not as written.</exception>
    /// <exception cref="WrongDataKeyException">Encrypted with a key that was not handed in.</exception>
    public static SnapshotReader Open(IDisk disk, DataKeys keys, ulong group, ulong index)
    {
        var name = FileNames.Snapshot(group, index);
        var path = Path.Combine(disk.Folder, name);
        var file = disk.Open(name);
        SnapshotReader? reader = null;
        try
        {
            var head = new byte[LogFormat.HeaderSizeBytes];
            var header = FileHeader.Read(head.AsSpan(0, file.Read(0, head)), FileKind.Snapshot, index, path);
            var key = keys.Find(header.KeyId) ?? throw new WrongDataKeyException(path);
            reader = new SnapshotReader(file, path, new FrameCipher(key, header));
            reader.ReadHead(group, index);
            return reader;
        }
        catch (Exception e)
        {
            reader?.Dispose();
            file.Dispose();
            if (e is IOException)
            {
                throw new LogCorruptException(path, 0, $"it cannot be read: {e.Message}", e);
            }

            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (_chunk.IsEmpty && !_ended)
        {
            NextChunk();
        }

        var size = Math.Min(buffer.Length, _chunk.Length);
        _chunk.Span[..size].CopyTo(buffer);
        _chunk = _chunk[size..];
        return size;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(Read(buffer.Span));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cipher.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void ReadHead(ulong group, ulong index)
    {
        var head = NextRecord();
        if (head.Type != RecordType.SnapshotHead || head.Group != group || head.Index != index || head.Payload.Length < sizeof(ulong))
        {
            throw new LogCorruptException(_path, LogFormat.HeaderSizeBytes, $"the first record is not the head of snapshot {index} of group {group}");
        }

        Index = head.Index;
        Term = head.Term;
        ConfigurationIndex = BinaryPrimitives.ReadUInt64LittleEndian(head.Payload.Span);
        Configuration = head.Payload[sizeof(ulong)..];
    }

    private void NextChunk()
    {
        var at = _offset;
        var record = NextRecord();
        switch (record.Type)
        {
            case RecordType.SnapshotChunk when record.Index == _chunks:
                _chunk = record.Payload;
                _chunks++;
                _sizeBytes += (ulong)record.Payload.Length;
                break;
            case RecordType.SnapshotEnd when record.Index == _chunks && record.Term == _sizeBytes:
                _ended = true;
                break;
            default:
                throw new LogCorruptException(_path, at, $"a record of type {(byte)record.Type} with number {record.Index} does not follow piece {_chunks}");
        }
    }

    private LogRecord NextRecord()
    {
        var at = _offset;
        Span<byte> start = stackalloc byte[LogFormat.FrameHeaderSizeBytes];
        var size = _file.Read(at, start) == start.Length ? BinaryPrimitives.ReadUInt32LittleEndian(start[4..]) : 0;
        if (size is < LogFormat.FrameOverheadBytes or > LogFormat.FrameOverheadBytes + LogFormat.MaxPayloadSizeBytes)
        {
            throw new LogCorruptException(_path, at, "the file ends before the snapshot does");
        }

        var frame = new byte[size];
        var read = _file.Read(at, frame);
        LogRecord record = default;
        var wrong = FrameHeader.Read(frame.AsSpan(0, read), at, out var header);
        wrong ??= _cipher.Read(frame, header, out record);
        wrong ??= header.Counter == _counter ? null : $"the record is number {header.Counter}, expected {_counter}";
        if (wrong is not null)
        {
            throw new LogCorruptException(_path, at, wrong);
        }

        _counter++;
        _offset += header.PaddedLengthBytes;
        return record;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>
/// Writes a snapshot piece by piece to a temporary file, which becomes the group's snapshot by
/// <see cref="Commit"/> or vanishes.
/// </summary>
internal sealed class SnapshotWriter : Stream
{
    private const int ChunkSizeBytes = 256 * 1024;

    /// <summary>Synced in steps, so that the sync of a commit never waits behind a whole snapshot.</summary>
    private const int SyncEveryBytes = 4 * 1024 * 1024;

    private readonly IDisk _disk;
    private readonly IDiskFile _file;
    private readonly FrameCipher _cipher;
    private readonly ulong _group;
    private readonly ulong _index;
    private readonly byte[] _chunk = new byte[ChunkSizeBytes];
    private readonly byte[] _frame = new byte[LogFormat.PaddedFrameSize(ChunkSizeBytes)];
    private int _used;
    private long _offset = LogFormat.HeaderSizeBytes;
    private long _synced;
    private ulong _counter;
    private ulong _chunks;
    private ulong _sizeBytes;
    private bool _committed;

    private SnapshotWriter(IDisk disk, IDiskFile file, FrameCipher cipher, ulong group, ulong index)
    {
        _disk = disk;
        _file = file;
        _cipher = cipher;
        _group = group;
        _index = index;
    }

    /// <summary>Bytes of the state that were written so far, but for the chunk that is being filled.</summary>
    public long SizeBytes => (long)_sizeBytes;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Begins the snapshot of a group up to an entry.</summary>
    public static SnapshotWriter Create(
        IDisk disk, LogEngineOptions options, ulong group, ulong index, ulong term, ulong configurationIndex, ReadOnlySpan<byte> configuration)
    {
        var salt = new byte[LogFormat.SaltSizeBytes];
        options.FillSalt(salt);
        var header = new FileHeader(FileKind.Snapshot, index, 0, 0, options.Keys.CurrentId, salt);
        var file = disk.Create(FileNames.NewSnapshot(group), 0);
        var writer = new SnapshotWriter(disk, file, new FrameCipher(options.Keys.Find(header.KeyId)!, header), group, index);
        try
        {
            Span<byte> head = stackalloc byte[LogFormat.HeaderSizeBytes];
            header.Write(head);
            file.Write(0, head);
            var payload = new byte[sizeof(ulong) + configuration.Length];
            BinaryPrimitives.WriteUInt64LittleEndian(payload, configurationIndex);
            configuration.CopyTo(payload.AsSpan(sizeof(ulong)));
            writer.WriteRecord(new LogRecord(RecordType.SnapshotHead, group, index, term, payload));
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var size = Math.Min(buffer.Length, _chunk.Length - _used);
            buffer[..size].CopyTo(_chunk.AsSpan(_used));
            _used += size;
            buffer = buffer[size..];
            if (_used == _chunk.Length)
            {
                WriteChunk();
            }
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the snapshot; on return it is durable under its name.</summary>
    public void Commit()
    {
        WriteChunk();
        WriteRecord(new LogRecord(RecordType.SnapshotEnd, _group, _chunks, _sizeBytes, default));
        _file.Sync();
        _disk.Rename(FileNames.NewSnapshot(_group), FileNames.Snapshot(_group, _index));
        _committed = true;
        _disk.SyncFolder();
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cipher.Dispose();
            _file.Dispose();
            if (!_committed)
            {
                _committed = true;
                _disk.Delete(FileNames.NewSnapshot(_group));
            }
        }

        base.Dispose(disposing);
    }

    private void WriteChunk()
    {
        if (_used == 0)
        {
            return;
        }

        WriteRecord(new LogRecord(RecordType.SnapshotChunk, _group, _chunks, 0, _chunk.AsMemory(0, _used)));
        _chunks++;
        _sizeBytes += (ulong)_used;
        _used = 0;
    }

    private void WriteRecord(in LogRecord record)
    {
        var buffer = record.Payload.Length <= ChunkSizeBytes ? _frame : new byte[LogFormat.PaddedFrameSize(record.Payload.Length)];
        var size = _cipher.Write(buffer, _offset, LogFormat.HeaderSizeBytes, _counter, record);
        _file.Write(_offset, buffer.AsSpan(0, size));
        _offset += size;
        _counter++;
        if (_offset - _synced >= SyncEveryBytes)
        {
            _file.Sync();
            _synced = _offset;
        }
    }
}

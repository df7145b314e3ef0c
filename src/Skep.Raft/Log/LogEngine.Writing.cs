namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
    private void Write(IReadOnlyList<LogRecord> records)
    {
        var writer = _writer!;
        var start = writer.EndBytes;
        Frame(writer, records);
        var began = _options.Time.GetTimestamp();
        try
        {
            writer.Segment.File.Write(start, _buffer.WrittenSpan);
        }
        catch (DiskException e) when (e.IsFull)
        {
            // A file system that copies on write can run out even within a preallocated file. These places
            // and nonces are spent; what may have arrived is wiped, and the next append opens a new segment.
            Wipe(writer.Segment.File, start, _buffer.WrittenCount);
            _abandonSegment = true;
            throw new LogFullException(Folder, e);
        }

        writer.Segment.File.Sync();
        Syncs++;
        LastSyncTime = _options.Time.GetElapsedTime(began);
        Take(writer.Segment, records);
        writer.Segment.EndBytes = writer.EndBytes;
    }

    private static void Wipe(IDiskFile file, long start, int count)
    {
        file.Write(start, new byte[count]);
        file.Sync();
    }

    /// <summary>
    /// Starts the next segment: a header that says where the last one ended, the groups' state restated, and the
    /// given records. All of it is synced before the file gets its name, so it is there whole or not at all.
    /// </summary>
    private void OpenSegment(IReadOnlyList<LogRecord> more, long roomBytes) =>
        OpenSegment(_writer?.Segment.Sequence ?? 0, _writer?.Segment.EndBytes ?? 0, [.. _groups.Values.SelectMany(g => g.Restate()), .. more], roomBytes);

    private void OpenSegment(ulong previousSequence, long previousEndBytes, IReadOnlyList<LogRecord> records, long roomBytes)
    {
        var initialEnd = LogFormat.HeaderSizeBytes + LogFormat.PaddedFrameSizes(records);
        var sizeBytes = Math.Max(_options.SegmentSizeBytes, (initialEnd + roomBytes + 4095) & ~4095L);
        var salt = new byte[LogFormat.SaltSizeBytes];
        _options.FillSalt(salt);
        var header = new FileHeader(FileKind.Segment, previousSequence + 1, previousEndBytes, initialEnd, _options.Keys.CurrentId, salt);
        var name = FileNames.Segment(header.Sequence);
        var path = Path.Combine(Folder, name);

        Guard(() =>
        {
            IDiskFile? file = null;
            string? temporary = null;
            try
            {
                (file, temporary) = NewFile(sizeBytes);
                var dataKey = _options.Keys.Find(header.KeyId)!;
                var segment = new Segment(file, path, header, dataKey);
                var writer = new SegmentWriter(segment, new FrameCipher(dataKey, header), sizeBytes);
                Span<byte> head = stackalloc byte[LogFormat.HeaderSizeBytes];
                header.Write(head);
                file.Write(0, head);
                Frame(writer, records);
                file.Write(LogFormat.HeaderSizeBytes, _buffer.WrittenSpan);
                file.Sync();
                Syncs++;
                _disk.Rename(temporary, name);
                temporary = null;
                _disk.SyncFolder();
                Activate(writer, records);
                file = null;
            }
            catch (DiskException e) when (e.IsFull && (temporary is not null || file is null))
            {
                if (temporary is not null)
                {
                    _disk.Delete(temporary);
                }

                throw new LogFullException(Folder, e);
            }
            finally
            {
                file?.Dispose();
            }
        });
    }

    private (IDiskFile File, string Name) NewFile(long sizeBytes)
    {
        if (sizeBytes == _options.SegmentSizeBytes && _options.TakeSpare() is { } spare)
        {
            return spare;
        }

        return (_disk.Create(FileNames.NewSegment, sizeBytes), FileNames.NewSegment);
    }

    private void Activate(SegmentWriter writer, IReadOnlyList<LogRecord> records)
    {
        if (_writer is { } old)
        {
            old.Dispose();
            old.Segment.File.Truncate(old.Segment.EndBytes);
        }

        lock (_gate)
        {
            _segments.Add(writer.Segment);
        }

        _writer = writer;
        _abandonSegment = false;
        Take(writer.Segment, records);
        writer.Segment.EndBytes = writer.EndBytes;
    }

    private void Frame(SegmentWriter writer, IReadOnlyList<LogRecord> records)
    {
        _buffer.ResetWrittenCount();
        _frames.Clear();
        writer.Frame(records, _buffer, _frames);
    }

    private void Take(Segment segment, IReadOnlyList<LogRecord> records)
    {
        lock (_gate)
        {
            GroupLog? group = null;
            for (var i = 0; i < records.Count; i++)
            {
                var record = records[i];
                group = group is not null && group.Id == record.Group ? group : Group(record.Group);
                if (group.Take(record, segment, _frames[i]) is { } wrong)
                {
                    throw new InvalidOperationException(wrong);
                }
            }
        }
    }
}

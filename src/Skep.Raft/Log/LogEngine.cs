using System.Buffers;

namespace Skep.Raft.Log;

/// <summary>
/// The log of all groups of a process in one folder: appends records durably, one sync a call, and reads entries
/// back. One thread writes; reading is open to all. Without threads or time of its own, so that a simulation
/// can drive it over a simulated disk.
/// </summary>
internal sealed partial class LogEngine : IDisposable
{
    private readonly IDisk _disk;
    private readonly LogEngineOptions _options;
    private readonly Lock _gate = new();
    private readonly List<Segment> _segments = [];
    private readonly SortedDictionary<ulong, GroupLog> _groups = [];
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly List<FrameHeader> _frames = [];
    private SegmentWriter? _writer;
    private bool _abandonSegment;

    private LogEngine(IDisk disk, LogEngineOptions options)
    {
        _disk = disk;
        _options = options;
    }

    /// <summary>Set once a write or sync has failed: from then on nothing is written any more.</summary>
    public LogFailedException? Failure { get; private set; }

    public long Syncs { get; private set; }

    /// <summary>How long the last append took on the disk, write and sync.</summary>
    public TimeSpan LastSyncTime { get; private set; }

    public string Folder => _disk.Folder;

    /// <summary>Share of the current segment that is used, 0 to 1.</summary>
    public double SegmentUse => _writer is { } writer ? (double)writer.EndBytes / writer.SizeBytes : 0;

    public int SegmentCount
    {
        get
        {
            lock (_gate)
            {
                return _segments.Count;
            }
        }
    }

    /// <summary>Reads what the log knows of a group, consistently.</summary>
    public T Read<T>(ulong group, Func<GroupLog, T> read)
    {
        lock (_gate)
        {
            return read(Group(group));
        }
    }

    /// <summary>Entries of a group from an index on, at least one if there is one; more as they fit and lie in the same file.</summary>
    /// <exception cref="LogCorruptException">A record does not read back as it was written.</exception>
    public IReadOnlyList<LogRecord> ReadEntries(ulong group, ulong fromIndex, int maxSizeBytes)
    {
        var result = new List<LogRecord>();
        lock (_gate)
        {
            var log = Group(group);
            if (fromIndex < log.FirstIndex)
            {
                throw new ArgumentOutOfRangeException(nameof(fromIndex), fromIndex, $"entries of group {group} before {log.FirstIndex} are in the snapshot only");
            }

            if (fromIndex > log.LastIndex)
            {
                return result;
            }

            // One read for all that lie in one stretch of one file.
            var first = log.PlaceOf(fromIndex);
            var end = first.OffsetBytes + first.LengthBytes;
            var count = 1UL;
            for (; fromIndex + count <= log.LastIndex; count++)
            {
                var place = log.PlaceOf(fromIndex + count);
                if (place.Segment != first.Segment || place.OffsetBytes + place.LengthBytes - first.OffsetBytes > maxSizeBytes)
                {
                    break;
                }

                end = place.OffsetBytes + place.LengthBytes;
            }

            var image = first.Segment.Read(first.OffsetBytes, (int)(end - first.OffsetBytes));
            for (var i = 0UL; i < count; i++)
            {
                var place = log.PlaceOf(fromIndex + i);
                result.Add(place.Segment.Decode(image.AsSpan((int)(place.OffsetBytes - first.OffsetBytes), place.LengthBytes), place.OffsetBytes));
            }
        }

        return result;
    }

    /// <summary>
    /// Says what keeps these records from being appended, or null. <paramref name="lastIndexes"/> carries each
    /// group's last index from one set of records to the next of the same batch.
    /// </summary>
    public string? Check(IReadOnlyList<LogRecord> records, Dictionary<ulong, ulong> lastIndexes)
    {
        var after = new Dictionary<ulong, ulong>(lastIndexes);
        foreach (var record in records)
        {
            if (record.Payload.Length > LogFormat.MaxPayloadSizeBytes)
            {
                return $"a record has {record.Payload.Length} bytes, at most {LogFormat.MaxPayloadSizeBytes} are possible: split it";
            }

            if (!record.IsEntry)
            {
                continue;
            }

            if (!after.TryGetValue(record.Group, out var last))
            {
                last = Read(record.Group, static g => g.LastIndex);
            }

            if (record.Index != last + 1)
            {
                return $"entry {record.Index} of group {record.Group} cannot follow entry {last}";
            }

            after[record.Group] = record.Index;
        }

        foreach (var (group, last) in after)
        {
            lastIndexes[group] = last;
        }

        return null;
    }

    /// <summary>Writes records; on return they are on disk.</summary>
    /// <exception cref="LogFullException">No room; nothing was written.</exception>
    /// <exception cref="LogFailedException">The log has failed, now or earlier.</exception>
    public void Append(IReadOnlyList<LogRecord> records)
    {
        ThrowIfFailed();
        long size = 0;
        foreach (var record in records)
        {
            size += LogFormat.PaddedFrameSize(record.Payload.Length);
        }

        if (_abandonSegment || _writer!.EndBytes + size > _writer.SizeBytes)
        {
            OpenSegment([], size);
        }

        Guard(() => Write(records));
    }

    /// <summary>Voids a group's entries from an index on, durably, and goes on in a new segment.</summary>
    public void Truncate(ulong group, ulong fromIndex)
    {
        ThrowIfFailed();
        OpenSegment([LogRecord.Truncate(group, fromIndex)], 0);
    }

    /// <summary>
    /// Notes that a durable snapshot exists and removes what it makes needless: older snapshots of the group, and
    /// segments in which every group's entries lie more than the entries to keep below its snapshot.
    /// </summary>
    public void NoteSnapshot(ulong group, ulong index, ulong term)
    {
        Append([LogRecord.SnapshotMarker(group, index, term)]);
        Guard(() => Compact());
    }

    /// <summary>Closes in order: what is durable is marked so, and the rest of the segment is given back.</summary>
    public void Dispose()
    {
        if (Failure is null && _writer is { } writer)
        {
            try
            {
                Append([new LogRecord(RecordType.Close, 0, 0, 0, default)]);
                writer.Segment.File.Truncate(writer.Segment.EndBytes);
            }
            catch (Exception e) when (e is RaftLogException or IOException)
            {
                // The mark is a help for the next start, nothing hangs on it.
            }
        }

        lock (_gate)
        {
            _writer?.Dispose();
            _segments.ForEach(s => s.Dispose());
            _segments.Clear();
        }
    }

    private GroupLog Group(ulong id)
    {
        if (!_groups.TryGetValue(id, out var group))
        {
            _groups.Add(id, group = new GroupLog(id));
        }

        return group;
    }

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
        var initialEnd = LogFormat.HeaderSizeBytes + records.Sum(r => (long)LogFormat.PaddedFrameSize(r.Payload.Length));
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
            for (var i = 0; i < records.Count; i++)
            {
                if (Group(records[i].Group).Take(records[i], segment, _frames[i]) is { } wrong)
                {
                    throw new InvalidOperationException(wrong);
                }
            }
        }
    }

    private void ThrowIfFailed()
    {
        if (Failure is not null)
        {
            throw new LogFailedException(Folder, Failure.InnerException!);
        }
    }

    /// <summary>A refusal for want of room leaves the log sound; after any other error it takes nothing more.</summary>
    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (LogFullException)
        {
            throw;
        }
        catch (Exception e)
        {
            Failure = new LogFailedException(Folder, e);
            throw Failure;
        }
    }
}

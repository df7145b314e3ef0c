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

    /// <summary>
    /// Says what keeps these records from being appended, or null. <paramref name="lastIndexes"/> carries each
    /// group's last index from one set of records to the next of the same batch.
    /// </summary>
    public string? Check(IReadOnlyList<LogRecord> records, Dictionary<ulong, ulong> lastIndexes)
    {
        var after = new Dictionary<ulong, ulong>(lastIndexes);
        ulong? group = null;
        ulong last = 0;
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            if (record.Payload.Length > LogFormat.MaxPayloadSizeBytes)
            {
                return $"a record has {record.Payload.Length} bytes, at most {LogFormat.MaxPayloadSizeBytes} are possible: split it";
            }

            if (!record.IsEntry)
            {
                continue;
            }

            if (record.Group != group)
            {
                group = record.Group;
                last = after.TryGetValue(record.Group, out var known) ? known : Read(record.Group, static g => g.LastIndex);
            }

            if (record.Index != last + 1)
            {
                return $"entry {record.Index} of group {record.Group} cannot follow entry {last}";
            }

            last = record.Index;
            if (i == records.Count - 1 || records[i + 1].Group != record.Group || !records[i + 1].IsEntry)
            {
                after[record.Group] = last;
            }
        }

        foreach (var (id, index) in after)
        {
            lastIndexes[id] = index;
        }

        return null;
    }

    /// <summary>Where the next record will stand.</summary>
    public (ulong Segment, long OffsetBytes) End => _writer is { } writer ? (writer.Segment.Sequence, writer.EndBytes) : default;

    /// <summary>Does what one request asks for: a truncation or a snapshot's note, each alone, or records to be appended.</summary>
    /// <exception cref="LogFullException">No room; nothing was written.</exception>
    /// <exception cref="LogFailedException">The log has failed, now or earlier.</exception>
    public void Store(IReadOnlyList<LogRecord> records)
    {
        switch (records)
        {
            case [{ Type: RecordType.Truncate } cut]:
                Truncate(cut.Group, cut.Index);
                break;
            case [{ Type: RecordType.SnapshotMarker } marker]:
                NoteSnapshot(marker.Group, marker.Index, marker.Term);
                break;
            default:
                Append(records);
                break;
        }
    }

    /// <summary>Writes records; on return they are on disk.</summary>
    /// <exception cref="LogFullException">No room; nothing was written.</exception>
    /// <exception cref="LogFailedException">The log has failed, now or earlier.</exception>
    public void Append(IReadOnlyList<LogRecord> records)
    {
        ThrowIfFailed();
        var size = LogFormat.PaddedFrameSizes(records);
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

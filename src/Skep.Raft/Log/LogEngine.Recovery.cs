namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
    private readonly List<LogRecord> _tail = [];
    private byte[] _image = [];

    /// <summary>Whether a crash had left something behind the last sound record.</summary>
    public bool TornTailWasCut { get; private set; }

    /// <summary>Records found at opening.</summary>
    public long RecoveredRecords { get; private set; }

    /// <summary>
    /// Opens the folder's log, or begins one. A torn tail is cut; whatever else is wrong is refused. The last batch
    /// is written again into the new segment: after a failed sync the kernel may show it although the disk has it not.
    /// </summary>
    /// <exception cref="LogCorruptException">Something that was durable is not there or reads otherwise.</exception>
    /// <exception cref="WrongDataKeyException">The key is not that of the files.</exception>
    /// <exception cref="LogVersionException">A format this build does not know.</exception>
    /// <exception cref="LogFullException">No room for a new segment.</exception>
    public static LogEngine Open(IDisk disk, LogEngineOptions options)
    {
        var engine = new LogEngine(disk, options);
        try
        {
            engine.Recover();
            return engine;
        }
        catch
        {
            engine.Abandon();
            throw;
        }
    }

    private void Recover()
    {
        var sequences = new List<ulong>();
        var snapshots = new Dictionary<ulong, ulong>();
        foreach (var name in _disk.List())
        {
            if (name.EndsWith(FileNames.Temporary, StringComparison.Ordinal))
            {
                _disk.Delete(name);
            }
            else if (FileNames.TryParseSegment(name, out var sequence))
            {
                sequences.Add(sequence);
            }
            else if (FileNames.TryParseSnapshot(name, out var group, out var index))
            {
                snapshots[group] = Math.Max(index, snapshots.GetValueOrDefault(group));
            }
        }

        sequences.Sort();
        var previousEnd = ReadSegments(sequences);
        var records = _groups.Values.SelectMany(g => g.Restate()).ToList();
        records.AddRange(_tail);
        records.AddRange(NoteSnapshotFiles(snapshots));
        CheckComplete(records);
        OpenSegment(sequences.Count > 0 ? sequences[^1] : 0, previousEnd, records, 0);
        if (sequences.Count > 0)
        {
            _segments[^2].File.Truncate(previousEnd);
        }

        _tail.Clear();
        _image = [];
        Compact();
    }

    /// <summary>Reads all segments; the records of the last batch go to the tail, to be written again.</summary>
    /// <returns>Where the last segment is cut.</returns>
    private long ReadSegments(List<ulong> sequences)
    {
        var headers = new List<FileHeader>();
        foreach (var sequence in sequences)
        {
            var path = Path.Combine(Folder, FileNames.Segment(sequence));
            if (sequence != sequences[0] + (ulong)headers.Count)
            {
                throw new LogCorruptException(Path.Combine(Folder, FileNames.Segment(sequence - 1)), 0, "this segment is missing");
            }

            var file = _disk.Open(FileNames.Segment(sequence));
            try
            {
                var head = new byte[LogFormat.HeaderSizeBytes];
                var header = FileHeader.Read(head.AsSpan(0, ReadFile(file, path, head)), FileKind.Segment, sequence, path);
                var key = _options.Keys.Find(header.KeyId) ?? throw new WrongDataKeyException(path);
                headers.Add(header);
                _segments.Add(new Segment(file, path, header, key));
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        long end = 0;
        for (var i = 0; i < _segments.Count; i++)
        {
            end = ReadSegment(_segments[i], i + 1 < headers.Count ? headers[i + 1].PreviousEndBytes : null);
        }

        return end;
    }

    private long ReadSegment(Segment segment, long? knownEnd)
    {
        var length = (int)segment.File.LengthBytes;
        if (_image.Length < length)
        {
            _image = new byte[length];
        }

        length = ReadFile(segment.File, segment.Path, _image.AsSpan(0, length));
        var scan = SegmentScan.Read(_image.AsSpan(0, length), segment.Header, knownEnd);
        if (scan.Damage is { } damage)
        {
            throw new LogCorruptException(segment.Path, damage.OffsetBytes, damage.Reason);
        }

        foreach (var frame in scan.Frames)
        {
            RecoveredRecords++;
            var isTail = frame.OffsetBytes >= scan.DurableEndBytes;
            var record = isTail || frame.Type == RecordType.HardState
                ? segment.Decode(_image.AsSpan((int)frame.OffsetBytes, frame.LengthBytes), frame.OffsetBytes)
                : frame.ToRecord();
            if (!isTail)
            {
                if (Group(record.Group).Take(record, segment, frame) is { } wrong)
                {
                    throw new LogCorruptException(segment.Path, frame.OffsetBytes, wrong);
                }
            }
            else if (record.Type != RecordType.Close)
            {
                _tail.Add(record);
            }
        }

        TornTailWasCut |= knownEnd is null && _image.AsSpan(0, length)[(int)Math.Min(scan.EndBytes, length)..].ContainsAnyExcept((byte)0);
        segment.EndBytes = scan.DurableEndBytes;
        return scan.DurableEndBytes;
    }

    private static int ReadFile(IDiskFile file, string path, Span<byte> buffer)
    {
        try
        {
            return file.Read(0, buffer);
        }
        catch (IOException e)
        {
            throw new LogCorruptException(path, 0, $"it cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A snapshot is there before its marker is; one that the log names must be there.</summary>
    private IEnumerable<LogRecord> NoteSnapshotFiles(Dictionary<ulong, ulong> snapshots)
    {
        foreach (var (group, index) in snapshots)
        {
            using var reader = SnapshotReader.Open(_disk, _options.Keys, group, index);
            yield return LogRecord.SnapshotMarker(group, index, reader.Term);
        }
    }

    /// <summary>Goes through what the new segment will hold as if it were there, to refuse before anything is written.</summary>
    private void CheckComplete(List<LogRecord> records)
    {
        foreach (var group in records.Select(r => r.Group).Concat(_groups.Keys).Distinct())
        {
            var named = records.Where(r => r.Group == group && r.Type == RecordType.SnapshotMarker).Select(r => r.Index).DefaultIfEmpty().Max();
            var path = Path.Combine(Folder, FileNames.Snapshot(group, named));
            if (named > 0 && !_disk.List().Contains(FileNames.Snapshot(group, named)))
            {
                throw new LogCorruptException(path, 0, "the log names this snapshot, and it is missing");
            }

            var log = Group(group);
            var first = log.LastIndex > log.SnapshotIndex
                ? log.FirstIndex
                : records.Where(r => r.Group == group && r.IsEntry).Select(r => r.Index).DefaultIfEmpty(named + 1).First();
            if (first > named + 1)
            {
                throw new LogCorruptException(
                    _segments[0].Path, LogFormat.HeaderSizeBytes, $"entries {named + 1} to {first - 1} of group {group} are missing: a segment or a snapshot was removed");
            }
        }
    }

    /// <summary>Lets go of the files without writing.</summary>
    private void Abandon()
    {
        _writer?.Dispose();
        _segments.ForEach(s => s.Dispose());
        _segments.Clear();
    }
}

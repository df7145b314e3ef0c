namespace Skep.Raft.Log;

/// <summary>
/// What the log holds of one group: its durable state, and where each entry lies. Built by taking the records
/// in the order in which they stand on disk, at recovery and in operation alike.
/// </summary>
internal sealed class GroupLog(ulong id)
{
    private readonly PlaceQueue _entries = new();
    private readonly List<ulong> _configurations = [];
    private ulong _firstIndex = 1;

    public ulong Id => id;

    public HardState HardState { get; private set; }

    /// <summary>Index and term of the last snapshot that the log knows to be durable; 0 for none.</summary>
    public ulong SnapshotIndex { get; private set; }

    public ulong SnapshotTerm { get; private set; }

    /// <summary>The lowest entry still held, or where the next one goes when there is none.</summary>
    public ulong FirstIndex => _entries.Count > 0 ? _firstIndex : SnapshotIndex + 1;

    public ulong LastIndex => _entries.Count > 0 ? _firstIndex + (ulong)_entries.Count - 1 : SnapshotIndex;

    public ulong LastTerm => _entries.Count > 0 ? _entries[_entries.Count - 1].Term : SnapshotTerm;

    /// <summary>The last configuration entry held; null when it is in the snapshot, if anywhere.</summary>
    public ulong? ConfigurationIndex => _configurations.Count > 0 ? _configurations[^1] : null;

    /// <summary>The term of an entry or of the snapshot's last one; null when neither is held.</summary>
    public ulong? TermAt(ulong index)
    {
        if (_entries.Count > 0 && index >= _firstIndex && index <= LastIndex)
        {
            return _entries[(int)(index - _firstIndex)].Term;
        }

        return index == SnapshotIndex ? SnapshotTerm : null;
    }

    public Place PlaceOf(ulong index) => _entries[(int)(index - _firstIndex)];

    /// <summary>What is known of entries without reading them: index and term, and which of them change members.</summary>
    public LogRecord[] Heads(ulong from, ulong to)
    {
        from = Math.Max(from, FirstIndex);
        to = Math.Min(to, LastIndex);
        var heads = new LogRecord[to < from || _entries.Count == 0 ? 0 : to + 1 - from];
        for (var i = 0; i < heads.Length; i++)
        {
            heads[i] = LogRecord.Command(id, from + (ulong)i, PlaceOf(from + (ulong)i).Term, default);
        }

        foreach (var at in _configurations)
        {
            if (at >= from && at <= to)
            {
                heads[at - from] = heads[at - from] with { Type = RecordType.Configuration };
            }
        }

        return heads;
    }

    /// <summary>Takes a durable record.</summary>
    /// <returns>null, or why it cannot stand at this point of the log.</returns>
    public string? Take(in LogRecord record, Segment segment, in FrameHeader frame)
    {
        switch (record.Type)
        {
            case RecordType.Command or RecordType.Configuration or RecordType.NoOp:
                return TakeEntry(record, segment, frame);
            case RecordType.HardState:
                if (!HardState.TryRead(record, out var state))
                {
                    return "a hard state record has the wrong size";
                }

                HardState = state;
                return null;
            case RecordType.SnapshotMarker:
                TakeMarker(record);
                return null;
            case RecordType.Truncate:
                DropFrom(record.Index);
                return null;
            case RecordType.Close:
                return null;
            default:
                return $"a record of type {(byte)record.Type} does not belong into the log";
        }
    }

    /// <summary>Records with which a new segment begins, so that no older one is needed for them.</summary>
    public IEnumerable<LogRecord> Restate()
    {
        if (HardState != default)
        {
            yield return HardState.ToRecord(id);
        }

        if (SnapshotIndex > 0)
        {
            yield return LogRecord.SnapshotMarker(id, SnapshotIndex, SnapshotTerm);
        }
    }

    /// <summary>Forgets the entries that lie in segments up to this one.</summary>
    public void DropSegments(ulong upToSequence)
    {
        var gone = 0;
        while (gone < _entries.Count && _entries[gone].Segment.Sequence <= upToSequence)
        {
            gone++;
        }

        _entries.RemoveFirst(gone);
        _firstIndex += (ulong)gone;
        _configurations.RemoveAll(i => i < _firstIndex);
    }

    private string? TakeEntry(in LogRecord record, Segment segment, in FrameHeader frame)
    {
        if (_entries.Count == 0)
        {
            // After compaction the first entry found may lie behind a snapshot that a later marker names;
            // that nothing is missing between the two is checked when all records have been taken.
            if (record.Index <= SnapshotIndex)
            {
                return $"entry {record.Index} of group {id} follows snapshot {SnapshotIndex}";
            }

            _firstIndex = record.Index;
        }
        else if (record.Index != LastIndex + 1)
        {
            return $"entry {record.Index} of group {id} follows entry {LastIndex}";
        }

        _entries.Add(new Place(record.Term, segment, frame.OffsetBytes, frame.LengthBytes));
        segment.Holds(id, record.Index);
        if (record.Type == RecordType.Configuration)
        {
            _configurations.Add(record.Index);
        }

        return null;
    }

    private void TakeMarker(in LogRecord record)
    {
        if (record.Index < SnapshotIndex)
        {
            return;
        }

        // A snapshot from the leader stands for all of a log that it is ahead of, or that says otherwise: a crash may have come
        // between its file and the truncation.
        if (record.Index > LastIndex || (TermAt(record.Index) is { } held && held != record.Term))
        {
            DropFrom(0);
        }

        SnapshotIndex = record.Index;
        SnapshotTerm = record.Term;
    }

    private void DropFrom(ulong index)
    {
        var keep = index <= _firstIndex ? 0 : (int)Math.Min(index - _firstIndex, (ulong)_entries.Count);
        _entries.Keep(keep);
        _configurations.RemoveAll(i => i >= index);
    }
}

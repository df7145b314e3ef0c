using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

/// <summary>
/// The log as the core sees it: terms and configurations of all entries, the latest entries in memory, the others on disk.
/// It knows how far the disk follows.
/// </summary>
internal sealed class EntryLog
{
    /// <summary>What an entry costs beside its payload, roughly.</summary>
    private const int EntryOverheadBytes = 64;
    private const long LoadSizeBytes = 1024 * 1024;

    private readonly IEntrySource _source;
    private readonly CoreOptions _options;
    private readonly TermRuns _terms = new();
    private readonly List<LogRecord> _tail = [];
    private readonly List<(ulong Index, RaftConfiguration Configuration)> _configurations = [];
    private readonly Queue<(ulong Sequence, ulong LastIndex)> _issued = new();
    private ulong _tailFirst;
    private long _tailBytes;
    private ulong _pendingFrom;
    private ulong? _pendingTruncate;
    private SnapshotMeta? _pendingSnapshot;

    public EntryLog(CoreOptions options, IEntrySource source, SnapshotMeta? snapshot)
    {
        _options = options;
        _source = source;
        Snapshot = snapshot;
        Load(snapshot);
        StoredIndex = LastIndex;
        _tailFirst = _pendingFrom = LastIndex + 1;
    }

    public ulong LastIndex => _terms.LastIndex;

    public ulong LastTerm => _terms.LastTerm;

    /// <summary>Up to here the log is on this member's disk.</summary>
    public ulong StoredIndex { get; private set; }

    /// <summary>The latest snapshot that is on disk or on its way there.</summary>
    public SnapshotMeta? Snapshot { get; private set; }

    public RaftConfiguration Configuration => _configurations.Count > 0 ? _configurations[^1].Configuration : new([], [], []);

    public ulong ConfigurationIndex => _configurations.Count > 0 ? _configurations[^1].Index : 0;

    public bool HasPending => _pendingFrom <= LastIndex || _pendingTruncate is not null || _pendingSnapshot is not null;

    public bool IsInstalling { get; private set; }

    public long UnstoredBytes { get; private set; }

    public ulong? TermAt(ulong index) => _terms.TermAt(index);

    public (ulong Index, ulong Term) LastNotAbove(ulong index, ulong term) => _terms.LastNotAbove(index, term);

    public static long SizeOf(in LogRecord entry) => entry.Payload.Length + EntryOverheadBytes;

    public static long SizeOf(IReadOnlyList<LogRecord> entries)
    {
        long size = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            size += SizeOf(entries[i]);
        }

        return size;
    }

    /// <summary>The members as of an index that is not below the last snapshot.</summary>
    public (ulong Index, RaftConfiguration Configuration) ConfigurationAt(ulong index) =>
        _configurations.FindLast(c => c.Index <= index) is { Configuration: not null } found ? found : (0, new([], [], []));

    /// <summary>The members as of an index, and all later ones.</summary>
    public IEnumerable<RaftConfiguration> ConfigurationsSince(ulong index) =>
        _configurations.Skip(Math.Max(0, _configurations.FindLastIndex(c => c.Index <= index))).Select(c => c.Configuration);

    /// <summary>Entries from an index on, at least one; none when it is not held.</summary>
    public IReadOnlyList<LogRecord> Read(ulong from, ulong to, long maxSizeBytes)
    {
        to = Math.Min(to, LastIndex);
        if (from <= _terms.BaseIndex || from > to)
        {
            return [];
        }

        if (from < _tailFirst)
        {
            return _source.ReadEntries(from, Math.Min(to, _tailFirst - 1), maxSizeBytes);
        }

        int first = (int)(from - _tailFirst), count = 0;
        for (long size = 0; from + (ulong)count <= to; count++)
        {
            size += SizeOf(_tail[first + count]);
            if (count > 0 && size > maxSizeBytes)
            {
                break;
            }
        }

        return _tail.GetRange(first, count);
    }

    public void Append(in LogRecord entry)
    {
        _terms.Append(entry.Term);
        _tail.Add(entry);
        _tailBytes += SizeOf(entry);
        UnstoredBytes += SizeOf(entry);
        if (entry.Type == RecordType.Configuration)
        {
            _configurations.Add((entry.Index, RaftConfiguration.Decode(entry.Payload.Span)));
        }
    }

    public void TruncateFrom(ulong index)
    {
        _terms.TruncateFrom(index);
        _configurations.RemoveAll(c => c.Index >= index);
        DropTailFrom(index);
        if (index < _pendingFrom)
        {
            _pendingTruncate = Math.Min(index, _pendingTruncate ?? index);
            _pendingFrom = index;
            StoredIndex = Math.Min(StoredIndex, index - 1);
            CapIssued(index - 1);
        }
    }

    /// <summary>Puts a leader's snapshot into the place of the whole log.</summary>
    public void Restore(SnapshotMeta snapshot, ulong commit)
    {
        if (LastIndex > commit)
        {
            TruncateFrom(commit + 1);
        }

        _terms.Reset(snapshot.Index, snapshot.Term);
        _configurations.Clear();
        _configurations.Add((snapshot.ConfigurationIndex, snapshot.Configuration));
        _tail.Clear();
        _tailBytes = UnstoredBytes = 0;
        _tailFirst = _pendingFrom = snapshot.Index + 1;
        _pendingSnapshot = Snapshot = snapshot;
        IsInstalling = true;
    }

    /// <summary>This member's own snapshot is on disk, and entries below may be gone.</summary>
    public void Compact(SnapshotMeta snapshot, ulong keepFrom)
    {
        // The same index again: taken anew, under another data key, and with fewer entries kept below it.
        if (snapshot.Index < (Snapshot?.Index ?? 0))
        {
            return;
        }

        Snapshot = snapshot;
        _terms.CompactTo(Math.Min(snapshot.Index, keepFrom - 1));
        var at = _configurations.FindLastIndex(c => c.Index <= snapshot.Index);
        _configurations.RemoveRange(0, Math.Max(at, 0));
        TrimTail();
    }

    /// <summary>What is not yet handed to the disk becomes the write of this number.</summary>
    public LogWrite TakeWrite(ulong sequence, HardState? hardState)
    {
        IReadOnlyList<LogRecord> entries = _pendingFrom <= LastIndex ? _tail.GetRange((int)(_pendingFrom - _tailFirst), (int)(LastIndex + 1 - _pendingFrom)) : [];
        var write = new LogWrite(sequence, hardState, _pendingTruncate, _pendingSnapshot, entries);
        _issued.Enqueue((sequence, LastIndex));
        _pendingFrom = LastIndex + 1;
        _pendingTruncate = null;
        _pendingSnapshot = null;
        return write;
    }

    /// <summary>All writes up to this number are on disk.</summary>
    public void Stored(ulong sequence)
    {
        var before = StoredIndex;
        while (_issued.TryPeek(out var first) && first.Sequence <= sequence)
        {
            _issued.Dequeue();
            StoredIndex = Math.Max(StoredIndex, first.LastIndex);
        }

        for (var i = Math.Max(before + 1, _tailFirst); i <= StoredIndex; i++)
        {
            UnstoredBytes -= SizeOf(_tail[(int)(i - _tailFirst)]);
        }

        IsInstalling &= StoredIndex < (Snapshot?.Index ?? 0);
        TrimTail();
    }

    private void Load(SnapshotMeta? snapshot)
    {
        if (snapshot is not null)
        {
            _terms.Reset(snapshot.Index, snapshot.Term);
            _configurations.Add((snapshot.ConfigurationIndex, snapshot.Configuration));
        }

        var next = _terms.BaseIndex + 1;
        if (snapshot is not null && _source.FirstIndex < snapshot.Index && _source.LastIndex >= snapshot.Index)
        {
            // Entries below the snapshot still serve followers; the first one's neighbour is not known any more.
            var first = _source.ReadEntries(_source.FirstIndex, _source.FirstIndex, 0)[0];
            _terms.Reset(first.Index, first.Term);
            next = first.Index + 1;
        }

        while (next <= _source.LastIndex)
        {
            foreach (var entry in _source.ReadTerms(next, _source.LastIndex, LoadSizeBytes))
            {
                _terms.Append(entry.Term);
                if (entry.Type == RecordType.Configuration && entry.Index > (snapshot?.ConfigurationIndex ?? 0))
                {
                    _configurations.Add((entry.Index, RaftConfiguration.Decode(entry.Payload.Span)));
                }

                next = entry.Index + 1;
            }
        }
    }

    private void DropTailFrom(ulong index)
    {
        var keep = index <= _tailFirst ? 0 : (int)(index - _tailFirst);
        for (var i = keep; i < _tail.Count; i++)
        {
            var size = SizeOf(_tail[i]);
            _tailBytes -= size;
            UnstoredBytes -= _tailFirst + (ulong)i > StoredIndex ? size : 0;
        }

        if (keep < _tail.Count)
        {
            _tail.RemoveRange(keep, _tail.Count - keep);
        }

        _tailFirst = Math.Min(_tailFirst, index);
    }

    private void CapIssued(ulong lastIndex)
    {
        for (var i = _issued.Count; i > 0; i--)
        {
            var (sequence, last) = _issued.Dequeue();
            _issued.Enqueue((sequence, Math.Min(last, lastIndex)));
        }
    }

    private void TrimTail()
    {
        if (_tailBytes <= _options.MaxCachedBytes)
        {
            return;
        }

        // Down to half at once, so that the list is not moved with every entry.
        var gone = 0;
        while (gone < _tail.Count && _tailBytes > _options.MaxCachedBytes / 2 && _tailFirst + (ulong)gone <= StoredIndex)
        {
            _tailBytes -= SizeOf(_tail[gone++]);
        }

        _tail.RemoveRange(0, gone);
        _tailFirst += (ulong)gone;
    }
}

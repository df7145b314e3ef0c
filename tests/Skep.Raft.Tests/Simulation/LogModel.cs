using Skep.Raft.Log;
using Skep.Raft.Tests.Log;

namespace Skep.Raft.Tests.Simulation;

/// <summary>What the log must hold, kept the simple way.</summary>
internal sealed class LogModel
{
    public Dictionary<ulong, Group> Groups { get; } = [];

    public LogModel Copy()
    {
        var copy = new LogModel();
        foreach (var (id, group) in Groups)
        {
            copy.Groups[id] = new Group(new SortedDictionary<ulong, LogRecord>(group.Entries)) { HardState = group.HardState, SnapshotIndex = group.SnapshotIndex, SnapshotTerm = group.SnapshotTerm };
        }

        return copy;
    }

    public Group this[ulong id] => Groups.TryGetValue(id, out var group) ? group : Groups[id] = new Group([]);

    public void Take(LogRecord record)
    {
        var group = this[record.Group];
        switch (record.Type)
        {
            case RecordType.HardState:
                Assert.True(HardState.TryRead(record, out var state));
                group.HardState = state;
                break;
            case RecordType.Truncate:
                foreach (var index in group.Entries.Keys.Where(i => i >= record.Index).ToList())
                {
                    group.Entries.Remove(index);
                }

                break;
            case RecordType.SnapshotMarker:
                group.SnapshotIndex = record.Index;
                group.SnapshotTerm = record.Term;
                break;
            default:
                group.Entries[record.Index] = record;
                break;
        }
    }

    /// <summary>null when the log holds this, else the first difference.</summary>
    public string? Compare(LogEngine engine, ulong keepEntries)
    {
        foreach (var (id, group) in Groups)
        {
            var (hard, snapshot, first, last) = engine.Read(id, static g => (g.HardState, g.SnapshotIndex, g.FirstIndex, g.LastIndex));
            if (hard != group.HardState || snapshot != group.SnapshotIndex || last != group.LastIndex)
            {
                return $"group {id}: {hard} snapshot {snapshot} last {last}, expected {group.HardState} snapshot {group.SnapshotIndex} last {group.LastIndex}";
            }

            if (first > snapshot + 1 || (group.Entries.Count > 0 && first > Math.Max(group.Entries.Keys.First(), snapshot > keepEntries ? snapshot - keepEntries + 1 : 1)))
            {
                return $"group {id}: entries begin at {first}, snapshot {snapshot}";
            }

            foreach (var entry in Journal.Entries(engine, id, first, last))
            {
                if (group.Entries.TryGetValue(entry.Index, out var expected) && !Same(entry, expected))
                {
                    return $"group {id}: entry {entry.Index} differs";
                }
            }
        }

        return null;
    }

    private static bool Same(in LogRecord a, in LogRecord b) =>
        a.Type == b.Type && a.Group == b.Group && a.Index == b.Index && a.Term == b.Term && a.Payload.Span.SequenceEqual(b.Payload.Span);

    internal sealed class Group(SortedDictionary<ulong, LogRecord> entries)
    {
        public SortedDictionary<ulong, LogRecord> Entries => entries;

        public HardState HardState { get; set; }

        public ulong SnapshotIndex { get; set; }

        public ulong SnapshotTerm { get; set; }

        public ulong LastIndex => entries.Count > 0 ? Math.Max(entries.Keys.Last(), SnapshotIndex) : SnapshotIndex;
    }
}

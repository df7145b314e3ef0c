using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>
/// What the log promises by its format, without the log: what is synced survives, of the rest a crash leaves some beginning, in order.
/// Hundreds of times faster than the log itself (<see cref="EngineDisk"/>).
/// </summary>
internal sealed class ModelDisk : INodeDisk
{
    private readonly Dictionary<ulong, NodeState> _arrived = [];
    private readonly List<LogRecord> _entries = [];
    private readonly Queue<(LogWrite Write, NodeState? State)> _waiting = new();

    public HardState HardState { get; private set; }

    public SnapshotMeta? Snapshot { get; private set; }

    public NodeState? SnapshotState { get; private set; }

    public ulong FirstIndex => _entries.Count > 0 ? _entries[0].Index : LastIndex + 1;

    public ulong LastIndex => _entries.Count > 0 ? _entries[^1].Index : Snapshot?.Index ?? 0;

    public int Waiting => _waiting.Count;

    public int SyncUs { get; set; } = 200;

    public bool IsSyncing { get; set; }

    public int KeepEntries { get; set; } = 5;

    public IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes)
    {
        if (_entries.Count == 0 || from < FirstIndex || from > LastIndex)
        {
            return [];
        }

        int first = (int)(from - FirstIndex), count = 0;
        for (long size = 0; from + (ulong)count <= Math.Min(to, LastIndex); count++)
        {
            size += _entries[first + count].Payload.Length;
            if (count > 0 && size > maxSizeBytes)
            {
                break;
            }
        }

        return _entries.GetRange(first, count);
    }

    public bool Holds(ulong index, ulong term) =>
        Snapshot is { } s && index <= s.Index ? true : index >= FirstIndex && index <= LastIndex && _entries[(int)(index - FirstIndex)].Term == term;

    public void Begin(SnapshotMeta snapshot, NodeState state) => (Snapshot, SnapshotState) = (snapshot, state);

    public void Arrived(SnapshotMeta snapshot, NodeState state) => _arrived[snapshot.Index] = state;

    public void Write(LogWrite write) => _waiting.Enqueue((write, write.Snapshot is { } s ? _arrived[s.Index] : null));

    public ulong Sync(int writes)
    {
        ulong sequence = 0;
        for (; writes > 0; writes--)
        {
            var (write, state) = _waiting.Dequeue();
            Do(write, state, int.MaxValue);
            sequence = write.Sequence;
        }

        return sequence;
    }

    public void Crash(Random random)
    {
        IsSyncing = false;
        _arrived.Clear();
        var steps = random.Next(2) == 0 ? 0 : random.Next(12);
        while (steps > 0 && _waiting.TryDequeue(out var next))
        {
            steps -= Do(next.Write, next.State, steps);
        }

        _waiting.Clear();
    }

    public ulong TakeSnapshot(SnapshotMeta snapshot, NodeState state)
    {
        if (snapshot.Index > (Snapshot?.Index ?? 0))
        {
            (Snapshot, SnapshotState) = (snapshot, state);
            var keepFrom = Math.Max(1, snapshot.Index + 1 - Math.Min(snapshot.Index, (ulong)KeepEntries));
            _entries.RemoveAll(e => e.Index < keepFrom);
        }

        return FirstIndex;
    }

    public string? WhyNotOpen => null;

    public void Mend()
    {
    }

    private int Do(LogWrite write, NodeState? state, int maxSteps)
    {
        var steps = 0;
        if (write.HardState is { } hardState && steps++ < maxSteps)
        {
            HardState = hardState;
        }

        if (write.TruncateFrom is { } from && steps++ < maxSteps)
        {
            _entries.RemoveAll(e => e.Index >= from);
        }

        if (write.Snapshot is { } snapshot && steps++ < maxSteps)
        {
            if (snapshot.Index > LastIndex)
            {
                _entries.Clear();
            }

            (Snapshot, SnapshotState) = (snapshot, state);
        }

        foreach (var entry in write.Entries)
        {
            if (steps++ >= maxSteps)
            {
                break;
            }

            if (entry.Index != LastIndex + 1)
            {
                throw new SimulationFailure("disk", $"entry {entry.Index} was written behind entry {LastIndex}");
            }

            _entries.Add(entry);
        }

        return steps;
    }
}

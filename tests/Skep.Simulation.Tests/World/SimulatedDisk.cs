using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>
/// A member's disk: what is synced survives, of the rest a crash leaves some beginning. Order is kept, which is what the
/// log promises by its format.
/// </summary>
internal sealed class SimulatedDisk : IEntrySource
{
    private readonly List<LogRecord> _entries = [];
    private readonly Queue<(LogWrite Write, RegisterState? State)> _waiting = new();

    public HardState HardState { get; private set; }

    public SnapshotMeta? Snapshot { get; private set; }

    public RegisterState? SnapshotState { get; private set; }

    public ulong FirstIndex => _entries.Count > 0 ? _entries[0].Index : LastIndex + 1;

    public ulong LastIndex => _entries.Count > 0 ? _entries[^1].Index : Snapshot?.Index ?? 0;

    public int Waiting => _waiting.Count;

    /// <summary>Sync times, in µs.</summary>
    public int SyncUs { get; set; } = 200;

    public bool IsSyncing { get; set; }

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

    public void Begin(SnapshotMeta snapshot, RegisterState state) => (Snapshot, SnapshotState) = (snapshot, state);

    public void Write(LogWrite write, RegisterState? state) => _waiting.Enqueue((write, state));

    /// <summary>A sync ends that covers the first writes.</summary>
    /// <returns>The last one's number.</returns>
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

    /// <summary>Power fails: some beginning of what was not synced is there all the same, most often nothing.</summary>
    public void Crash(Random random)
    {
        IsSyncing = false;
        var steps = random.Next(2) == 0 ? 0 : random.Next(12);
        while (steps > 0 && _waiting.TryDequeue(out var next))
        {
            steps -= Do(next.Write, next.State, steps);
        }

        _waiting.Clear();
    }

    public void TakeSnapshot(SnapshotMeta snapshot, RegisterState state, ulong keepFrom)
    {
        if (snapshot.Index > (Snapshot?.Index ?? 0))
        {
            (Snapshot, SnapshotState) = (snapshot, state);
            _entries.RemoveAll(e => e.Index < keepFrom);
        }
    }

    private int Do(LogWrite write, RegisterState? state, int maxSteps)
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

using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>A member's disk, as its process sees it.</summary>
internal interface INodeDisk : IEntrySource
{
    HardState HardState { get; }

    SnapshotMeta? Snapshot { get; }

    NodeState? SnapshotState { get; }

    /// <summary>Writes that no sync has covered.</summary>
    int Waiting { get; }

    /// <summary>How long a sync takes, in µs.</summary>
    int SyncUs { get; set; }

    bool IsSyncing { get; set; }

    /// <summary>Entries kept below a snapshot.</summary>
    int KeepEntries { get; set; }

    /// <summary>Why a member that starts now is refused its log; null when it is not.</summary>
    string? WhyNotOpen { get; }

    /// <summary>Whether an entry would be there after a crash now.</summary>
    bool Holds(ulong index, ulong term);

    /// <summary>What a member begins with.</summary>
    void Begin(SnapshotMeta snapshot, NodeState state);

    /// <summary>A leader's snapshot has come whole; a write may name it.</summary>
    void Arrived(SnapshotMeta snapshot, NodeState state);

    void Write(LogWrite write);

    /// <summary>A sync ends that covers the first writes.</summary>
    /// <returns>The last one's number.</returns>
    ulong Sync(int writes);

    /// <returns>The first entry that is still there.</returns>
    ulong TakeSnapshot(SnapshotMeta snapshot, NodeState state);

    /// <summary>Power fails: of what was not synced chance decides.</summary>
    void Crash(Random random);

    /// <summary>People put right what no program may repair.</summary>
    void Mend();
}

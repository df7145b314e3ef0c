using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skep.Raft;

/// <summary>How a member of a group is opened.</summary>
public sealed record RaftGroupOptions
{
    /// <summary>Folder of the log; made with mode 0700 where it is missing.</summary>
    public required string Folder { get; init; }

    /// <summary>32 random bytes under which new files are encrypted.</summary>
    public required ReadOnlyMemory<byte> DataKey { get; init; }

    /// <summary>Data keys of earlier times, by which files written before a rotation are still read.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OlderDataKeys { get; init; } = [];

    /// <summary>This member; its id must be the one the folder was begun with.</summary>
    public required RaftMember Member { get; init; }

    /// <summary>Which group of the log; groups share files and syncs.</summary>
    public ulong GroupId { get; init; } = 1;

    /// <summary>A snapshot is taken after so many entries.</summary>
    public ulong SnapshotEveryEntries { get; init; } = 10_000;

    /// <summary>Entries kept below a snapshot, for members that are a little behind.</summary>
    public ulong KeepEntries { get; init; } = 500;

    /// <summary>Size of a preallocated file of the log.</summary>
    public int SegmentSizeBytes { get; init; } = Log.LogEngineOptions.DefaultSegmentSizeBytes;

    /// <summary>Proposals that may wait; further callers wait for a place.</summary>
    public int MaxQueuedProposals { get; init; } = 4096;

    /// <summary>Where messages go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>By which the time of syncs is measured.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skep.Store.Durability;

/// <summary>Where and how a manager keeps the cluster's objects.</summary>
public sealed record DurableStoreOptions
{
    /// <summary>The node's state directory; the log goes into its folder <c>raft</c>.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>This manager's node id; a state directory stays with the node it was begun by.</summary>
    public required string NodeId { get; init; }

    /// <summary>Where other managers reach this one, host:port.</summary>
    public string Address { get; init; } = "";

    /// <summary>32 random bytes under which the log is encrypted.</summary>
    public required ReadOnlyMemory<byte> DataKey { get; init; }

    /// <summary>Data keys of earlier times, for files written before a rotation.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OlderDataKeys { get; init; } = [];

    /// <summary>A snapshot is taken after so many transactions.</summary>
    public ulong SnapshotEveryEntries { get; init; } = 10_000;

    /// <summary>Entries of the log kept below a snapshot.</summary>
    public ulong KeepEntries { get; init; } = 500;

    /// <summary>Size of a preallocated file of the log; null for the log's own default.</summary>
    public int? SegmentSizeBytes { get; init; }

    /// <summary>The clock of the objects' timestamps.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where messages go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>Where and how a manager keeps the cluster's objects.</summary>
public sealed record DurableStoreOptions
{
    /// <summary>The node's state directory; the log goes into its folder <c>raft</c>.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>This manager's id in the group; a log stays with the member it was begun by.</summary>
    public required ulong MemberId { get; init; }

    /// <summary>Whether this manager begins the group, alone, where there is no log yet. Others wait for a leader to take them in.</summary>
    public bool Founds { get; init; }

    /// <summary>Opens a stream to another manager, authenticated both ways.</summary>
    public Func<RaftMember, CancellationToken, Task<Stream>> Dial { get; init; } =
        static (member, _) => Task.FromException<Stream>(new IOException($"no way to {member.Address} was given"));

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

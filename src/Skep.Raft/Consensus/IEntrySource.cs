using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

/// <summary>The entries on disk, as far as they were reported stored.</summary>
internal interface IEntrySource
{
    /// <summary>The lowest entry held; above <see cref="LastIndex"/> when there is none.</summary>
    ulong FirstIndex { get; }

    ulong LastIndex { get; }

    /// <summary>
    /// Entries from an index on, up to another or until they exceed a size; at least one. None when the first is no longer
    /// held.
    /// </summary>
    IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes);

    /// <summary>The terms of entries from an index on, with those that change members whole; as <see cref="ReadEntries"/> otherwise.</summary>
    IReadOnlyList<LogRecord> ReadTerms(ulong from, ulong to, long maxSizeBytes) => ReadEntries(from, to, maxSizeBytes);
}

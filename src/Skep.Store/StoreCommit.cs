using Skep.Api;

namespace Skep.Store;

/// <summary>What happened to an object.</summary>
public enum StoreChangeKind
{
    /// <summary>It is new.</summary>
    Create,

    /// <summary>It was replaced.</summary>
    Update,

    /// <summary>It is gone.</summary>
    Remove,
}

/// <summary>One object changed.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Object">The object as it is now; for <see cref="StoreChangeKind.Remove"/> as it last was.</param>
/// <param name="Old">The object as it was before an update.</param>
public sealed record StoreChange(StoreChangeKind Kind, IStoreObject Object, IStoreObject? Old);

/// <summary>The changes of one transaction, applied together.</summary>
/// <param name="Version">The index of the transaction in the log.</param>
/// <param name="Changes">In the order in which they were made.</param>
public sealed record StoreCommit(ulong Version, IReadOnlyList<StoreChange> Changes)
{
    /// <summary>What it takes in the log, and about what keeping it takes of memory.</summary>
    internal long SizeBytes { get; init; }
}

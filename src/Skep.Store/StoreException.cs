namespace Skep.Store;

/// <summary>Why the store refused.</summary>
public enum StoreErrorKind
{
    /// <summary>No object of that type has that id.</summary>
    NotFound,

    /// <summary>An object of that type has that id already.</summary>
    AlreadyExists,

    /// <summary>Another object of that type has that name.</summary>
    NameConflict,

    /// <summary>The object was changed since the caller read it.</summary>
    OutOfSequence,

    /// <summary>The transaction has more than <see cref="ClusterStore.MaxChanges"/> changes or <see cref="ClusterStore.MaxTransactionBytes"/>.</summary>
    TooLarge,

    /// <summary>The log has no room on its disk. The message says so where the transaction may be done once there is room; else nothing was changed.</summary>
    Full,

    /// <summary>The store does not accept writes: it is stopped, or its disk failed.</summary>
    Stopped,

    /// <summary>Another member leads, or none is known to; nothing was changed.</summary>
    NotLeader,

    /// <summary>The lead was lost while the transaction was under way: it may be committed yet, or never.</summary>
    OutcomeUnknown,
}

/// <summary>A refused read or write. Nothing of the transaction was applied, unless the kind is <see cref="StoreErrorKind.OutcomeUnknown"/>, or <see cref="StoreErrorKind.Full"/> and the message says so.</summary>
public sealed class StoreException(StoreErrorKind kind, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Why.</summary>
    public StoreErrorKind Kind { get; } = kind;
}

/// <summary>The reader of a subscription was slower than the store; it starts again from what the store holds.</summary>
public sealed class StoreLaggedException() : Exception("the subscriber fell behind the store and must read it anew");

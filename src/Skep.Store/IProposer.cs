namespace Skep.Store;

/// <summary>Makes a transaction durable and agreed before the store applies it.</summary>
public interface IProposer
{
    /// <summary>
    /// The term in which this member may write, when what it has applied is all that was committed before: a transaction is made
    /// from that and holds in that term only.
    /// </summary>
    /// <exception cref="StoreException">This member does not lead.</exception>
    ValueTask<ulong> BeginAsync();

    /// <summary>
    /// Commits an encoded transaction and, before it completes, has it applied to the store through
    /// <see cref="ClusterStore.Apply"/>.
    /// </summary>
    /// <param name="transaction">Never changed again: the log keeps it for members that are behind.</param>
    /// <param name="term">What <see cref="BeginAsync"/> gave before the transaction was made.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <returns>The index of the transaction in the log.</returns>
    /// <exception cref="StoreException">The transaction was not committed, or nobody knows whether it was.</exception>
    Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, ulong term, CancellationToken ct);
}

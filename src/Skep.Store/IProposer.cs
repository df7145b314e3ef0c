namespace Skep.Store;

/// <summary>Makes a transaction durable and agreed before the store applies it.</summary>
public interface IProposer
{
    /// <summary>
    /// Commits an encoded transaction and, before it completes, has it applied to the store through
    /// <see cref="ClusterStore.Apply"/>.
    /// </summary>
    /// <returns>The index of the transaction in the log.</returns>
    /// <exception cref="StoreException">The transaction was not committed.</exception>
    Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, CancellationToken ct);
}

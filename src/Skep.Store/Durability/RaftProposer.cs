using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>Makes the store's transactions entries of the log, and the log's refusals the store's.</summary>
internal sealed class RaftProposer : IProposer
{
    /// <summary>Set once the log is open; the store takes no writes before.</summary>
    public RaftGroup? Group { get; set; }

    public async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        if (Group is not { } group)
        {
            throw new StoreException(StoreErrorKind.Stopped, "the store is not open yet");
        }
        try
        {
            return await group.ProposeAsync(transaction, ct).ConfigureAwait(false);
        }
        catch (LogFullException e)
        {
            throw new StoreException(StoreErrorKind.Full, e.Message, e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StoreException(StoreErrorKind.Stopped, e.Message, e);
        }
    }
}

using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>Makes the store's transactions entries of the log, and the log's refusals the store's.</summary>
internal sealed class RaftProposer : IProposer
{
    /// <summary>Set once the log is open; the store takes no writes before.</summary>
    public ReplicaGroup? Group { get; set; }

    public ulong Begin()
    {
        if (Group is not { } group)
        {
            throw new StoreException(StoreErrorKind.Stopped, "the store is not open yet");
        }
        if (group.Completion is { IsFaulted: true } stopped)
        {
            throw new StoreException(StoreErrorKind.Stopped, stopped.Exception.InnerException!.Message, stopped.Exception.InnerException);
        }
        ReplicaStatus status = group.Status;
        return status.IsReady ? status.Term : throw new StoreException(StoreErrorKind.NotLeader, "this manager does not lead");
    }

    public async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, ulong term, CancellationToken ct)
    {
        try
        {
            return await Group!.ProposeAsync(transaction, term, ct).ConfigureAwait(false);
        }
        catch (LogFullException e)
        {
            throw new StoreException(StoreErrorKind.Full, e.Message, e);
        }
        catch (NotLeaderException e)
        {
            throw new StoreException(StoreErrorKind.NotLeader, e.Message, e);
        }
        catch (ProposalLostException e)
        {
            throw new StoreException(StoreErrorKind.OutcomeUnknown, e.Message, e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StoreException(StoreErrorKind.Stopped, e.Message, e);
        }
    }
}

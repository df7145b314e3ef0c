using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>Makes the store's transactions entries of the log, and the log's refusals the store's.</summary>
internal sealed class RaftProposer : IProposer
{
    /// <summary>Set once the log is open; the store takes no writes before.</summary>
    public ReplicaGroup? Group { get; set; }

    // A transaction whose caller was told of a full disk: until its fate is known, what the store holds may lack it.
    private Task<ulong> unresolved = Task.FromResult(0UL);

    public async ValueTask<ulong> BeginAsync()
    {
        if (Group is not { } group)
        {
            throw new StoreException(StoreErrorKind.Stopped, "the store is not open yet");
        }
        if (group.Completion is { IsFaulted: true } stopped)
        {
            throw new StoreException(StoreErrorKind.Stopped, stopped.Exception.InnerException!.Message, stopped.Exception.InnerException);
        }
        if (group.Completion.IsCompleted)
        {
            throw new StoreException(StoreErrorKind.Stopped, "the store is closed");
        }
        Task<LogFullException> full = group.UntilFull;
        if (full.IsCompleted || await Task.WhenAny(unresolved, full).ConfigureAwait(false) == full)
        {
            throw Full(await full.ConfigureAwait(false));
        }
        ReplicaStatus status = group.Status;
        return status.IsReady ? status.Term : throw new StoreException(StoreErrorKind.NotLeader, "this manager does not lead");
    }

    public async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, ulong term, CancellationToken ct)
    {
        try
        {
            Task<ulong> proposed = Group!.ProposeAsync(transaction, term, ct);
            Task<LogFullException> full = Group.UntilFull;
            if (!full.IsCompleted && await Task.WhenAny(proposed, full).ConfigureAwait(false) == full && !proposed.IsCompleted)
            {
                unresolved = proposed;
                _ = proposed.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                LogFullException e = await full.ConfigureAwait(false);
                throw new StoreException(StoreErrorKind.Full, $"{e.Message}; what was asked for may be done once there is room", e);
            }
            return await proposed.ConfigureAwait(false);
        }
        catch (LogFullException e)
        {
            throw Full(e);
        }
        catch (NotLeaderException e)
        {
            throw new StoreException(StoreErrorKind.NotLeader, e.Message, e);
        }
        catch (ProposalLostException e)
        {
            throw new StoreException(StoreErrorKind.OutcomeUnknown, e.Message, e);
        }
        catch (Exception e) when (e is not (OperationCanceledException or StoreException))
        {
            throw new StoreException(StoreErrorKind.Stopped, e.Message, e);
        }
    }

    private static StoreException Full(LogFullException e) => new(StoreErrorKind.Full, e.Message, e);
}

using Skep.Store;

namespace Skep.Manager.Loops;

/// <summary>
/// Work that follows the store: it is told what was committed, says when it next has something to do, and does it. It has no
/// thread and no clock that runs, so a simulation can drive it as well as <see cref="StoreWorkerLoop"/> does.
/// </summary>
internal abstract class StoreWorker
{
    /// <summary>When there is something to do even if nothing is committed; in the past when there is now, null for never.</summary>
    public abstract DateTimeOffset? NextWake { get; }

    /// <summary>Forgets everything and starts from what the store holds.</summary>
    public abstract void Load(IStoreView view);

    /// <summary>Takes note of a commit.</summary>
    public abstract void Observe(StoreCommit commit);

    /// <summary>Does what there is to do.</summary>
    public abstract Task StepAsync(CancellationToken ct);
}

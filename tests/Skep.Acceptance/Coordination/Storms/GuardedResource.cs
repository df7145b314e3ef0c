using Skep.Coordination.Client.Recipes;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>
/// What a lock guards: it refuses a fencing token below the highest it has seen, as Chubby's servers do with sequencers. Whoever is
/// refused must have been told by then that the lock may be another's, and no two may believe at once that they hold it.
/// </summary>
internal sealed class GuardedResource(string name, Findings findings)
{
    private readonly Lock gate = new();
    private readonly List<LockHandle> believers = [];
    private long highest;
    private int refused;

    public int Holders { get; private set; }

    public int Refused => refused;

    /// <summary>A holder begins.</summary>
    public void Enter(LockHandle holder)
    {
        lock (gate)
        {
            Holders++;
            foreach (LockHandle other in believers.Where(b => !b.LostToken.IsCancellationRequested))
            {
                findings.Fault($"{name} is held twice: by {holder.FencingToken:x} and still by {other.FencingToken:x}");
            }
            if (holder.FencingToken <= highest && !holder.LostToken.IsCancellationRequested)
            {
                findings.Fault($"{name}: token {holder.FencingToken:x} came after {highest:x}");
            }
            believers.Add(holder);
            Write(holder);
        }
    }

    /// <summary>Does something that only a holder may.</summary>
    public void Write(LockHandle holder)
    {
        lock (gate)
        {
            if (holder.FencingToken >= highest)
            {
                highest = holder.FencingToken;
                return;
            }
            refused++;
            if (!holder.LostToken.IsCancellationRequested)
            {
                findings.Fault($"{name}: {holder.FencingToken:x} believes that it holds what {highest:x} has had since");
            }
        }
    }

    /// <summary>A holder ends; only then does it give the lock back.</summary>
    public void Leave(LockHandle holder)
    {
        lock (gate)
        {
            believers.Remove(holder);
        }
    }
}

namespace Skep.Store.Watching;

/// <summary>Hands each commit to every subscription, and keeps the newest ones for those that resume. Guarded by its owner's lock.</summary>
internal sealed class CommitHub(int keptCommits, long keptBytes)
{
    private readonly Queue<StoreCommit> kept = new();
    private readonly List<StoreSubscription> subscriptions = [];
    private readonly Lock gate = new();
    private ulong droppedUpTo;
    private long bytes;

    public void Publish(StoreCommit commit)
    {
        lock (gate)
        {
            kept.Enqueue(commit);
            bytes += commit.SizeBytes;
            while (kept.Count > keptCommits || bytes > keptBytes)
            {
                StoreCommit dropped = kept.Dequeue();
                bytes -= dropped.SizeBytes;
                droppedUpTo = dropped.Version;
            }
            subscriptions.RemoveAll(s => !s.Offer(commit));
        }
    }

    public StoreSubscription Subscribe(int capacity)
    {
        lock (gate)
        {
            var subscription = new StoreSubscription(capacity, Unsubscribe);
            subscriptions.Add(subscription);
            return subscription;
        }
    }

    public StoreSubscription? SubscribeFrom(ulong version, int capacity)
    {
        lock (gate)
        {
            if (version < droppedUpTo)
            {
                return null;
            }
            StoreCommit[] missed = [.. kept.Where(c => c.Version > version)];
            StoreSubscription subscription = Subscribe(Math.Max(capacity, missed.Length + 1));
            foreach (StoreCommit commit in missed)
            {
                subscription.Offer(commit);
            }
            return subscription;
        }
    }

    /// <summary>After a restored snapshot the history is not this one's: nobody can resume, and everyone reads anew.</summary>
    public void Reset(ulong version)
    {
        lock (gate)
        {
            kept.Clear();
            bytes = 0;
            droppedUpTo = version;
            foreach (StoreSubscription subscription in subscriptions)
            {
                subscription.End();
            }
            subscriptions.Clear();
        }
    }

    private void Unsubscribe(StoreSubscription subscription)
    {
        lock (gate)
        {
            subscriptions.Remove(subscription);
        }
    }
}

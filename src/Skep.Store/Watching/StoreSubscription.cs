using System.Threading.Channels;

namespace Skep.Store;

/// <summary>Commits as they are applied, in order, from a point on. Bounded: a reader that is too slow is told and starts anew.</summary>
public sealed class StoreSubscription : IDisposable
{
    private readonly Channel<StoreCommit> channel;
    private readonly Action<StoreSubscription> unsubscribe;

    internal StoreSubscription(int capacity, Action<StoreSubscription> unsubscribe)
    {
        channel = Channel.CreateBounded<StoreCommit>(new BoundedChannelOptions(capacity) { SingleWriter = true });
        this.unsubscribe = unsubscribe;
    }

    /// <summary>The commits. Completes with <see cref="StoreLaggedException"/> when the reader fell behind.</summary>
    public ChannelReader<StoreCommit> Commits => channel.Reader;

    /// <summary>Ends the subscription.</summary>
    public void Dispose()
    {
        unsubscribe(this);
        channel.Writer.TryComplete();
    }

    /// <returns>False when the reader lagged and the subscription is over.</returns>
    internal bool Offer(StoreCommit commit)
    {
        if (channel.Writer.TryWrite(commit))
        {
            return true;
        }
        End();
        return false;
    }

    internal void End() => channel.Writer.TryComplete(new StoreLaggedException());
}

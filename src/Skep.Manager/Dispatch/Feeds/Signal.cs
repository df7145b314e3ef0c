using System.Threading.Channels;

namespace Skep.Manager.Dispatch.Feeds;

/// <summary>Wakes one waiter; setting it twice before it is waited for wakes once.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> channel =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Wakes the waiter, or the next one.</summary>
    public void Set() => channel.Writer.TryWrite(true);

    /// <summary>Forgets what was set.</summary>
    public void Reset() => channel.Reader.TryRead(out _);

    /// <summary>Waits until it is set.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken ct) => channel.Reader.ReadAsync(ct);
}

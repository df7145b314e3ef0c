using System.Threading.Channels;

namespace Skep.Coordination.Client;

/// <summary>
/// The events of a persistent watch, for one reader. It lives over reconnects, fails with <see cref="SessionExpiredException"/> when the
/// session expires and with <see cref="WatchOverflowException"/> when it is read too slowly, and ends when the client is closed.
/// Disposing it takes the watch back.
/// </summary>
public sealed class WatchStream : IAsyncEnumerable<WatchedEvent>, IAsyncDisposable
{
    private readonly Channel<WatchedEvent> _events;
    private readonly int _capacity;

    internal WatchStream(string path, string serverPath, WatchMode mode, int capacity)
    {
        Path = path;
        ServerPath = serverPath;
        Mode = mode;
        _capacity = capacity;
        _events = Channel.CreateBounded<WatchedEvent>(new BoundedChannelOptions(capacity) { SingleReader = true });
    }

    /// <summary>What is watched.</summary>
    public string Path { get; }

    /// <summary>How far the watch sees.</summary>
    public WatchMode Mode { get; }

    internal string ServerPath { get; }

    internal Action<WatchStream>? Forget { get; set; }

    /// <inheritdoc/>
    public IAsyncEnumerator<WatchedEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        _events.Reader.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Forget?.Invoke(this);
        _events.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    internal void Offer(WatchedEvent e)
    {
        if (!_events.Writer.TryWrite(e))
        {
            _events.Writer.TryComplete(new WatchOverflowException(
                $"events at {Path} were lost: {_capacity} waited to be read when the next came. Watch anew, and read anew what is watched"));
        }
    }

    internal void End(Exception? reason) => _events.Writer.TryComplete(reason);
}

using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// Something held: a lock, a share of a semaphore, the leadership. Disposing it gives it back. Nothing held over a network is held for
/// certain: pass <see cref="FencingToken"/> along with what is done under it, so that whoever is asked can refuse a holder of the past.
/// </summary>
public sealed class LockHandle : IAsyncDisposable
{
    private readonly CoordinationClient _client;
    private readonly TimeSpan _grace;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _released = new();
    private int _isReleased;

    internal LockHandle(CoordinationClient client, CreatedNode node, TimeSpan? grace)
    {
        _client = client;
        Path = node.Path;
        FencingToken = node.Stat.Czxid;
        // A connection is given up after two thirds of the timeout without an answer; a third later the session may be over.
        _grace = grace ?? TimeSpan.FromMilliseconds(client.SessionTimeoutMs) / 3;
        _ = FollowStateAsync();
        _ = FollowNodeAsync();
    }

    /// <summary>The holder's own node.</summary>
    public string Path { get; }

    /// <summary>
    /// The number (czxid) of the change that made the holder's node. Of those who must not hold at once, whoever holds later has the
    /// higher one.
    /// </summary>
    public long FencingToken { get; }

    /// <summary>
    /// Cancelled as soon as what is held may be another's: the connection is gone for longer than the grace period, the session is over, or
    /// someone has deleted the node. It stays so, even where the session turns out to live: give back and acquire anew.
    /// </summary>
    public CancellationToken LostToken => _lost.Token;

    /// <summary>
    /// Gives back. Without a connection it waits a session timeout at most, and goes on trying unwatched: nobody else waits longer than for
    /// the session's end.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) != 0)
        {
            return;
        }
        await _released.CancelAsync();
        Task deletion = OwnNode.DeleteAsync(_client, Path);
        await Task.WhenAny(deletion, Task.Delay(TimeSpan.FromMilliseconds(_client.SessionTimeoutMs), _client.TimeProvider));
    }

    private async Task FollowStateAsync()
    {
        ITimer? grace = null;
        try
        {
            await foreach (ConnectionState state in _client.StateChanges.WithCancellation(_released.Token))
            {
                switch (state)
                {
                    // A server without a majority cannot keep the session for us.
                    case ConnectionState.Suspended or ConnectionState.ConnectedReadOnly:
                        grace ??= _client.TimeProvider.CreateTimer(_ => _ = _lost.CancelAsync(), null, _grace, Timeout.InfiniteTimeSpan);
                        break;
                    case ConnectionState.Expired or ConnectionState.Closed:
                        await _lost.CancelAsync();
                        break;
                    default:
                        grace?.Dispose();
                        grace = null;
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Given back.
        }
        finally
        {
            grace?.Dispose();
        }
    }

    private async Task FollowNodeAsync()
    {
        try
        {
            while (true)
            {
                using Watched<Stat?> node = await _client.ExistsAndWatchAsync(Path, _released.Token);
                if (node.Value is null)
                {
                    break;
                }
                await node.Changed.WaitAsync(_released.Token);
            }
        }
        catch (Exception e) when (e is ConnectionLossException && !_released.IsCancellationRequested)
        {
            // Only where reads are not repeated. The node is not followed any more, so it may be lost.
        }
        catch (Exception)
        {
            // Given back, or the session's end, which the state tells.
            return;
        }
        await _lost.CancelAsync();
    }
}

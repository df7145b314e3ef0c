using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Skep.Coordination.Client.Session;

/// <summary>The connection's state, and whoever follows it.</summary>
internal sealed class StateFeed
{
    // Who is this far behind needs the newest states, not each of them.
    private const int Behind = 16;
    private readonly Lock _gate = new();
    private readonly List<Channel<ConnectionState>> _followers = [];

    public ConnectionState Current { get; private set; } = ConnectionState.Connecting;

    private bool IsOver => Current is ConnectionState.Expired or ConnectionState.Closed;

    public void Set(ConnectionState state)
    {
        lock (_gate)
        {
            if (state == Current || IsOver)
            {
                return;
            }
            Current = state;
            foreach (Channel<ConnectionState> follower in _followers)
            {
                follower.Writer.TryWrite(state);
                if (IsOver)
                {
                    follower.Writer.TryComplete();
                }
            }
        }
    }

    /// <summary>The state now, and each one after it; ends after a last one.</summary>
    public async IAsyncEnumerable<ConnectionState> Changes([EnumeratorCancellation] CancellationToken ct = default)
    {
        var states = Channel.CreateBounded<ConnectionState>(new BoundedChannelOptions(Behind) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            states.Writer.TryWrite(Current);
            if (IsOver)
            {
                states.Writer.TryComplete();
            }
            _followers.Add(states);
        }
        try
        {
            await foreach (ConnectionState state in states.Reader.ReadAllAsync(ct))
            {
                yield return state;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(states);
            }
        }
    }
}

using System.Threading.Channels;
using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>A change of a cached tree: <c>Created</c>, <c>DataChanged</c> or <c>Deleted</c> (with what was there).</summary>
public readonly record struct TreeChange(WatchedEventType Type, string Path, NodeData Node);

/// <summary>
/// A znode and all below it, held in memory and kept up by one recursive watch. Reads cost nothing and are a little behind; after a
/// reconnect everything is read anew, as what happened in between is not told. Needs servers of 3.6 or newer.
/// </summary>
public sealed partial class CachedTree : IAsyncDisposable
{
    /// <summary>The nodes that a tree may have where its caller says nothing else.</summary>
    public const int DefaultMaxNodes = 1_000_000;

    private readonly CoordinationClient _client;
    private readonly string _path;
    private readonly int _maxNodes;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Channel<TreeChange>> _followers = [];
    private Dictionary<string, NodeData> _nodes = [];
    private Dictionary<string, HashSet<string>> _children = [];
    private volatile bool _isCurrent;

    private CachedTree(CoordinationClient client, string path, int maxNodes)
    {
        _client = client;
        _path = path;
        _maxNodes = maxNodes;
    }

    /// <summary>
    /// Whether events reach the tree: false between a lost connection and the end of reading anew, and after the end. Then what it holds is
    /// what was last seen.
    /// </summary>
    public bool IsCurrent => _isCurrent && _client.State is ConnectionState.Connected or ConnectionState.ConnectedReadOnly;

    /// <summary>
    /// Ends with the tree: when it is disposed or the client closed; with <see cref="SessionExpiredException"/> where the session expires, and
    /// with <see cref="InvalidOperationException"/> where there are more nodes than it may hold.
    /// </summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>How many nodes there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _nodes.Count;
            }
        }
    }

    /// <summary>Reads the tree, and keeps it up from then on. The path need not exist.</summary>
    /// <exception cref="InvalidOperationException">There are more nodes than <paramref name="maxNodes"/>.</exception>
    public static async Task<CachedTree> StartAsync(CoordinationClient client, string path, int maxNodes = DefaultMaxNodes, CancellationToken ct = default)
    {
        var tree = new CachedTree(client, path, maxNodes);
        WatchStream watch = await client.OpenWatchAsync(path, WatchMode.PersistentRecursive, ct: ct);
        try
        {
            await tree.LoadAsync(ct);
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
        tree.Completion = tree.FollowAsync(watch);
        return tree;
    }

    /// <summary>A node as it was last seen.</summary>
    public bool TryGet(string path, out NodeData node)
    {
        lock (_gate)
        {
            return _nodes.TryGetValue(path, out node);
        }
    }

    /// <summary>The names of a node's children, without their path and in no order; none where there is no such node.</summary>
    public IReadOnlyList<string> GetChildren(string path)
    {
        lock (_gate)
        {
            return _children.TryGetValue(path, out HashSet<string>? names) ? [.. names] : [];
        }
    }

    /// <summary>The changes from the moment the enumeration begins. Ends with the tree; read too slowly, with <see cref="WatchOverflowException"/>.</summary>
    public IAsyncEnumerable<TreeChange> Changes => FollowChangesAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Completion.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}

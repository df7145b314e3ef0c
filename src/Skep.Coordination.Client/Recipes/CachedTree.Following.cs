using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

public sealed partial class CachedTree
{
    // Reads under way at once while the tree is read as a whole.
    private const int Abreast = 256;
    private const int FollowerCapacity = 4096;

    private async Task FollowAsync(WatchStream first)
    {
        WatchStream watch = first;
        Exception? reason = null;
        try
        {
            while (true)
            {
                try
                {
                    await foreach (WatchedEvent e in watch.WithCancellation(_stop.Token))
                    {
                        await TakeAsync(e);
                    }
                    return;
                }
                catch (WatchOverflowException)
                {
                    // Events were lost: a new watch first, then all is read anew.
                    _isCurrent = false;
                    await watch.DisposeAsync();
                    watch = await _client.OpenWatchAsync(_path, WatchMode.PersistentRecursive, ct: _stop.Token);
                    await LoadAsync(_stop.Token);
                }
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested || e is ObjectDisposedException)
        {
            // Disposed, or the client closed.
        }
        catch (Exception e)
        {
            reason = e;
            throw;
        }
        finally
        {
            _isCurrent = false;
            await watch.DisposeAsync();
            lock (_gate)
            {
                _followers.ForEach(f => f.Writer.TryComplete(reason));
                _followers.Clear();
            }
        }
    }

    private async Task TakeAsync(WatchedEvent e)
    {
        switch (e.Type)
        {
            case WatchedEventType.Reconnected:
                _isCurrent = false;
                await LoadAsync(_stop.Token);
                break;
            case WatchedEventType.Deleted:
                Set(e.Path, null);
                break;
            default:
                Set(e.Path, await ReadAsync(e.Path, _stop.Token));
                break;
        }
    }

    /// <summary>Reads everything, level by level, and tells of what is different.</summary>
    private async Task LoadAsync(CancellationToken ct)
    {
        var seen = new HashSet<string>();
        IReadOnlyList<string> level = [_path];
        while (level.Count > 0)
        {
            var below = new List<string>();
            foreach (string[] part in level.Chunk(Abreast))
            {
                (NodeData? Node, IReadOnlyList<string> Children)[] read = await Task.WhenAll(part.Select(p => ReadWithChildrenAsync(p, ct)));
                for (int i = 0; i < part.Length; i++)
                {
                    if (read[i].Node is NodeData node)
                    {
                        seen.Add(part[i]);
                        Set(part[i], node);
                        below.AddRange(read[i].Children.Select(c => OwnNode.Join(part[i], c)));
                    }
                }
            }
            level = below;
        }
        List<string> gone;
        lock (_gate)
        {
            gone = [.. _nodes.Keys.Where(p => !seen.Contains(p)).OrderByDescending(p => p.Length)];
        }
        gone.ForEach(p => Set(p, null));
        _isCurrent = true;
    }

    private async Task<(NodeData? Node, IReadOnlyList<string> Children)> ReadWithChildrenAsync(string path, CancellationToken ct)
    {
        Task<NodeData?> node = ReadAsync(path, ct);
        try
        {
            NodeChildren children = await _client.GetChildrenAsync(path, ct);
            return (await node, children.Children);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            return (null, []);
        }
    }

    private async Task<NodeData?> ReadAsync(string path, CancellationToken ct)
    {
        try
        {
            return await _client.GetDataAsync(path, ct);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            return null;
        }
    }

    private void Set(string path, NodeData? node)
    {
        lock (_gate)
        {
            bool wasThere = _nodes.TryGetValue(path, out NodeData before);
            if (node is null ? !wasThere : wasThere && before.Stat.Mzxid == node.Value.Stat.Mzxid)
            {
                return;
            }
            string parent = path[..Math.Max(path.LastIndexOf('/'), 1)];
            string name = path[(path.LastIndexOf('/') + 1)..];
            if (node is NodeData now)
            {
                if (!wasThere && _nodes.Count == _maxNodes)
                {
                    throw new InvalidOperationException($"there are more than {_maxNodes} nodes under {_path}");
                }
                _nodes[path] = now;
                if (path != _path)
                {
                    (_children.TryGetValue(parent, out HashSet<string>? names) ? names : _children[parent] = []).Add(name);
                }
                Tell(new TreeChange(wasThere ? WatchedEventType.DataChanged : WatchedEventType.Created, path, now));
                return;
            }
            _nodes.Remove(path);
            if (_children.TryGetValue(parent, out HashSet<string>? siblings) && siblings.Remove(name) && siblings.Count == 0)
            {
                _children.Remove(parent);
            }
            Tell(new TreeChange(WatchedEventType.Deleted, path, before));
        }
    }

    private void Tell(TreeChange change) => _followers.RemoveAll(f => !f.Writer.TryWrite(change)
        && f.Writer.TryComplete(new WatchOverflowException($"changes of the tree {_path} were lost: {FollowerCapacity} waited to be read when the next came")));

    private async IAsyncEnumerable<TreeChange> FollowChangesAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        var changes = Channel.CreateBounded<TreeChange>(new BoundedChannelOptions(FollowerCapacity) { SingleReader = true });
        lock (_gate)
        {
            if (Completion.IsCompleted)
            {
                yield break;
            }
            _followers.Add(changes);
        }
        try
        {
            await foreach (TreeChange change in changes.Reader.ReadAllAsync(ct))
            {
                yield return change;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(changes);
            }
        }
    }
}

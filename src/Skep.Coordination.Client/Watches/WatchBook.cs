using System.Runtime.InteropServices;
using Skep.Coordination.Client.Session;
using Skep.Jute;

namespace Skep.Coordination.Client.Watches;

/// <summary>
/// All that a client watches, and who is told. Servers before 3.9 keep one mode for each path of a session, so a path has one persistent
/// watch here, and a one-shot beside it lives on that watch's events instead of asking the server for one of its own.
/// </summary>
internal sealed partial class WatchBook(Chroot chroot)
{
    private readonly Dictionary<string, List<OneShot>> _oneShots = [];
    private readonly Dictionary<string, List<WatchStream>> _streams = [];

    /// <summary>Held while a change here and the request that belongs to it are queued.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Notes a one-shot whose read is about to be queued.</summary>
    /// <returns>Whether the server is to be asked for a watch.</returns>
    public bool Add(OneShot watch)
    {
        (CollectionsMarshal.GetValueRefOrAddDefault(_oneShots, watch.Path, out _) ??= []).Add(watch);
        return !_streams.ContainsKey(watch.Path);
    }

    /// <summary>The read is answered: from now on the watch fires.</summary>
    public void Activate(OneShot watch, WatchKind kind)
    {
        lock (Gate)
        {
            watch.Kind = kind;
            watch.IsActive = true;
        }
    }

    /// <returns>Whether nobody watches the path any more. To be called under the lock.</returns>
    public bool Remove(OneShot watch)
    {
        watch.End(null);
        return Remove(_oneShots, watch.Path, watch) && !IsWatched(watch.Path);
    }

    /// <exception cref="InvalidOperationException">The path is watched in the other mode.</exception>
    public void Add(WatchStream stream)
    {
        ref List<WatchStream>? there = ref CollectionsMarshal.GetValueRefOrAddDefault(_streams, stream.ServerPath, out _);
        if (there is [var other, ..] && other.Mode != stream.Mode)
        {
            throw new InvalidOperationException(
                $"{stream.Path} is watched {other.Mode} by this client: a session has one mode for a path at servers before 3.9. Watch it so too, or by another client");
        }
        (there ??= []).Add(stream);
    }

    /// <returns>Whether nobody watches the path any more. To be called under the lock.</returns>
    public bool Remove(WatchStream stream) => Remove(_streams, stream.ServerPath, stream) && !IsWatched(stream.ServerPath);

    /// <summary>The server refused a persistent watch: one-shots that relied on it will not fire.</summary>
    public void Refused(WatchStream stream, Exception reason)
    {
        lock (Gate)
        {
            Remove(stream);
            if (!_streams.ContainsKey(stream.ServerPath) && _oneShots.Remove(stream.ServerPath, out List<OneShot>? orphans))
            {
                orphans.ForEach(o => o.End(reason));
            }
        }
    }

    /// <summary>Ends everything: with the session's end, or (null) the client's.</summary>
    public void EndAll(Exception? reason)
    {
        lock (Gate)
        {
            foreach (OneShot watch in _oneShots.Values.SelectMany(w => w))
            {
                watch.End(reason);
            }
            foreach (WatchStream stream in _streams.Values.SelectMany(s => s))
            {
                stream.End(reason);
            }
            _oneShots.Clear();
            _streams.Clear();
        }
    }

    private bool IsWatched(string path) => _oneShots.ContainsKey(path) || _streams.ContainsKey(path);

    private static bool Remove<T>(Dictionary<string, List<T>> book, string path, T watch)
    {
        if (!book.TryGetValue(path, out List<T>? there) || !there.Remove(watch))
        {
            return false;
        }
        if (there.Count == 0)
        {
            book.Remove(path);
        }
        return true;
    }
}

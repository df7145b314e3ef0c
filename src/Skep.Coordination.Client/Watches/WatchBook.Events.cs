using Skep.Jute;

namespace Skep.Coordination.Client.Watches;

/// <summary>Who is told of an event.</summary>
internal sealed partial class WatchBook
{
    public void Fire(WatcherEvent received, long zxid)
    {
        var type = (WatchedEventType)received.Type;
        // Events without a path tell of the server's own state, which the connection shows better.
        if (type is not (WatchedEventType.Created or WatchedEventType.Deleted or WatchedEventType.DataChanged or WatchedEventType.ChildrenChanged))
        {
            return;
        }
        lock (Gate)
        {
            var e = new WatchedEvent(type, chroot.Short(received.Path), zxid);
            FireOneShots(received.Path, e);
            Offer(received.Path, e, alsoPlain: true);
            if (type == WatchedEventType.ChildrenChanged)
            {
                return;
            }
            string? parent = Parent(received.Path);
            if (parent is not null && type != WatchedEventType.DataChanged && IsRecursive(parent))
            {
                // A recursive watch is told of the child, never of its parent's children; who waits for those hears it from here.
                FireOneShots(parent, new WatchedEvent(WatchedEventType.ChildrenChanged, chroot.Short(parent), zxid));
            }
            for (; parent is not null && _streams.Count > 0; parent = Parent(parent))
            {
                Offer(parent, e, alsoPlain: false);
            }
        }
    }

    /// <summary>The watches stand again on a new connection.</summary>
    public void Reconnected()
    {
        lock (Gate)
        {
            foreach (WatchStream stream in _streams.Values.SelectMany(s => s))
            {
                stream.Offer(new WatchedEvent(WatchedEventType.Reconnected, stream.Path));
            }
        }
    }

    private void FireOneShots(string path, WatchedEvent e)
    {
        if (!_oneShots.TryGetValue(path, out List<OneShot>? watches))
        {
            return;
        }
        watches.RemoveAll(w =>
        {
            bool fires = w.FiresOn(e.Type);
            if (fires)
            {
                w.Fire(e);
            }
            return fires;
        });
        if (watches.Count == 0)
        {
            _oneShots.Remove(path);
        }
    }

    private void Offer(string path, WatchedEvent e, bool alsoPlain)
    {
        if (!_streams.TryGetValue(path, out List<WatchStream>? streams))
        {
            return;
        }
        foreach (WatchStream stream in streams)
        {
            if (stream.Mode == WatchMode.PersistentRecursive ? e.Type != WatchedEventType.ChildrenChanged : alsoPlain)
            {
                stream.Offer(e);
            }
        }
    }

    private bool IsRecursive(string path) => _streams.TryGetValue(path, out List<WatchStream>? streams) && streams[0].Mode == WatchMode.PersistentRecursive;

    private static string? Parent(string path) => path.Length == 1 ? null : path.LastIndexOf('/') is var slash && slash == 0 ? "/" : path[..slash];
}

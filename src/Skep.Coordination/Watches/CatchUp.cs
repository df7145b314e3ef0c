using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Watches;

/// <summary>
/// setWatches and setWatches2: a session comes back, perhaps to another member, with what it watches and the last zxid that it saw.
/// What happened meanwhile fires at once; for the rest the watches are set.
/// </summary>
internal static class CatchUp
{
    /// <returns>The events that were missed: data watches, then exists watches, then child watches, each in the order asked for.</returns>
    public static List<WatchEvent> Apply(ZnodeTree tree, WatchTable watches, long sessionId, SetWatches2 request)
    {
        var missed = new List<WatchEvent>();
        foreach (string path in request.DataWatches)
        {
            bool there = tree.Exists(path, out Stat stat) == ErrorCode.Ok;
            Decide(path, WatchKind.Data, !there ? 2 : stat.Mzxid > request.RelativeZxid ? 3 : 0);
        }
        foreach (string path in request.ExistWatches)
        {
            Decide(path, WatchKind.Data, tree.Exists(path, out _) == ErrorCode.Ok ? 1 : 0);
        }
        foreach (string path in request.ChildWatches)
        {
            bool there = tree.Exists(path, out Stat stat) == ErrorCode.Ok;
            Decide(path, WatchKind.Child, !there ? 2 : stat.Pzxid > request.RelativeZxid ? 4 : 0);
        }
        foreach (string path in request.PersistentWatches)
        {
            watches.Add(sessionId, path, WatchKind.Persistent);
        }
        foreach (string path in request.PersistentRecursiveWatches)
        {
            watches.Add(sessionId, path, WatchKind.Recursive);
        }
        return missed;

        void Decide(string path, WatchKind kind, int eventType)
        {
            if (eventType == 0)
            {
                watches.Add(sessionId, path, kind);
            }
            else
            {
                missed.Add(new WatchEvent(sessionId, eventType, path));
            }
        }
    }
}

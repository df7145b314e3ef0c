namespace Skep.Coordination.Watches;

/// <summary>What a watch waits for. Data and exists watches are one kind on the server, as in ZooKeeper.</summary>
[Flags]
internal enum WatchKind
{
    None = 0,
    Data = 1,
    Child = 2,

    /// <summary>Data and children of one node, again and again.</summary>
    Persistent = 4,

    /// <summary>Data of a node and of all below it, again and again; children's lists are not told, since each child is.</summary>
    Recursive = 8,
}

/// <summary>An event for one session: type 1 created, 2 deleted, 3 data changed, 4 children changed.</summary>
internal readonly record struct WatchEvent(long SessionId, int Type, string Path);

namespace Skep.Coordination.Watches;

/// <summary>What a watch waits for. Data and exists watches are one kind on the server, as in ZooKeeper.</summary>
internal enum WatchKind
{
    /// <summary>The node itself, once.</summary>
    Data,

    /// <summary>The list of its children, once.</summary>
    Child,

    /// <summary>Data and children of one node, again and again.</summary>
    Persistent,

    /// <summary>Data of a node and of all below it, again and again; children's lists are not told, since each child is.</summary>
    Recursive,
}

/// <summary>The two tables that a watch can be in; lasting ones are in both.</summary>
[Flags]
internal enum WatchTables
{
    Data = 1,
    Child = 2,
    Both = Data | Child,
}

/// <summary>How long a watch in a table lasts. The last one that was set counts, as in ZooKeeper 3.8.</summary>
internal enum WatchMode : byte
{
    None,
    Once,
    Persistent,
    Recursive,
}

/// <summary>An event for one session: type 1 created, 2 deleted, 3 data changed, 4 children changed.</summary>
internal readonly record struct WatchEvent(long SessionId, int Type, string Path);

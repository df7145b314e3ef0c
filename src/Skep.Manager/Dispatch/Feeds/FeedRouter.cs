using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Dispatch.Feeds;

/// <summary>Hands each change of the store to the streams of the nodes it concerns: one subscription serves thousands of streams.</summary>
internal sealed class FeedRouter(int batch)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<NodeFeed>> feeds = new(StringComparer.Ordinal);
    private readonly HashSet<NodeFeed> touched = [];

    /// <summary>Opens a feed. What is read from the store after this misses nothing.</summary>
    public NodeFeed Open(string nodeId, FeedInterest interest)
    {
        var feed = new NodeFeed(this, nodeId, interest, batch);
        lock (gate)
        {
            if (!feeds.TryGetValue(nodeId, out List<NodeFeed>? ofNode))
            {
                feeds[nodeId] = ofNode = [];
            }
            ofNode.Add(feed);
        }
        return feed;
    }

    public void Close(NodeFeed feed)
    {
        lock (gate)
        {
            if (feeds.TryGetValue(feed.NodeId, out List<NodeFeed>? ofNode) && ofNode.Remove(feed) && ofNode.Count == 0)
            {
                feeds.Remove(feed.NodeId);
            }
        }
    }

    /// <summary>Wakes the streams that a commit concerns, once each.</summary>
    public void Route(StoreCommit commit)
    {
        lock (gate)
        {
            foreach (StoreChange change in commit.Changes)
            {
                switch (change.Object)
                {
                    case SwarmTask task:
                        Note(task.NodeId, task.Id);
                        if (change.Old is SwarmTask old && old.NodeId != task.NodeId)
                        {
                            Note(old.NodeId, task.Id);
                        }
                        break;
                    case Node node:
                        Touch(node.Id, FeedInterest.Session);
                        break;
                }
            }
            foreach (NodeFeed feed in touched)
            {
                feed.Wake();
            }
            touched.Clear();
        }
    }

    /// <summary>Wakes every stream of sessions: what the cluster tells all nodes has changed.</summary>
    public void WakeSessions()
    {
        lock (gate)
        {
            foreach (NodeFeed feed in feeds.Values.SelectMany(f => f).Where(f => f.Interest == FeedInterest.Session))
            {
                feed.Wake();
            }
        }
    }

    /// <summary>Makes every stream read the store anew: commits may have been missed.</summary>
    public void ResyncAll()
    {
        lock (gate)
        {
            foreach (NodeFeed feed in feeds.Values.SelectMany(f => f))
            {
                feed.NoteEverything();
            }
        }
    }

    private void Note(string nodeId, string taskId)
    {
        if (nodeId.Length == 0 || !feeds.TryGetValue(nodeId, out List<NodeFeed>? ofNode))
        {
            return;
        }
        foreach (NodeFeed feed in ofNode)
        {
            if (feed.Interest == FeedInterest.Tasks)
            {
                feed.Note(taskId);
                touched.Add(feed);
            }
        }
    }

    private void Touch(string nodeId, FeedInterest interest)
    {
        if (feeds.TryGetValue(nodeId, out List<NodeFeed>? ofNode))
        {
            touched.UnionWith(ofNode.Where(f => f.Interest == interest));
        }
    }
}

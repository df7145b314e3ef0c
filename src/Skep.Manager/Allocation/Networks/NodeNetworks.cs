using Docker.Swarmkit.V1;
using Skep.Identity;

namespace Skep.Manager.Allocation;

/// <summary>
/// Which networks the tasks of each Docker Engine worker use. Docker's agent waits for an address of the node's own on each of
/// them before it starts such a task; Skep's agent needs none. Pure.
/// </summary>
internal sealed class NodeNetworks
{
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string NodeId, string[] Networks)> byTask = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, int>> uses = new(StringComparer.Ordinal);
    private readonly HashSet<string> changed = new(StringComparer.Ordinal);

    /// <summary>Nodes whose attachments may no longer be what their tasks need.</summary>
    public IReadOnlyCollection<string> Changed => changed;

    /// <summary>A node is new or changed.</summary>
    public void Put(Node node)
    {
        if (SkepMark.IsOn(node))
        {
            Remove(node.Id);
            return;
        }
        nodes[node.Id] = node;
        changed.Add(node.Id);
    }

    /// <summary>A node is gone.</summary>
    public void Remove(string nodeId)
    {
        nodes.Remove(nodeId);
        changed.Remove(nodeId);
    }

    /// <summary>A task that was given to a node and has not ended.</summary>
    public void Put(SwarmTask task)
    {
        if (byTask.ContainsKey(task.Id) || task.NodeId.Length == 0 || task.Networks.Count == 0)
        {
            return;
        }
        string[] networks = [.. task.Networks.Where(a => a.Addresses.Count > 0).Select(a => a.Network.Id).Distinct()];
        byTask[task.Id] = (task.NodeId, networks);
        Count(task.NodeId, networks, +1);
    }

    /// <summary>A task has ended or is gone.</summary>
    public void RemoveTask(string taskId)
    {
        if (byTask.Remove(taskId, out (string NodeId, string[] Networks) had))
        {
            Count(had.NodeId, had.Networks, -1);
        }
    }

    /// <summary>The nodes whose attachments differ from what their tasks use, with the networks they are to be on.</summary>
    public List<(Node Node, HashSet<string> Networks)> TakeChanged()
    {
        var result = new List<(Node, HashSet<string>)>();
        foreach (string nodeId in changed)
        {
            if (nodes.TryGetValue(nodeId, out Node? node))
            {
                HashSet<string> wanted = uses.TryGetValue(nodeId, out Dictionary<string, int>? used) ? [.. used.Keys] : [];
                if (!wanted.SetEquals(node.Attachments.Select(a => a.Network?.Id ?? "")))
                {
                    result.Add((node, wanted));
                }
            }
        }
        changed.Clear();
        return result;
    }

    private void Count(string nodeId, string[] networks, int by)
    {
        if (!uses.TryGetValue(nodeId, out Dictionary<string, int>? counts))
        {
            uses[nodeId] = counts = new(StringComparer.Ordinal);
        }
        foreach (string network in networks)
        {
            int count = counts.GetValueOrDefault(network) + by;
            if (count == 0)
            {
                counts.Remove(network);
            }
            else
            {
                counts[network] = count;
            }
        }
        if (counts.Count == 0)
        {
            uses.Remove(nodeId);
        }
        if (nodes.ContainsKey(nodeId))
        {
            changed.Add(nodeId);
        }
    }
}

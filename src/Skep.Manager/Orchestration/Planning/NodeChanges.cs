using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>Which changes of a node bear on the tasks on it.</summary>
internal static class NodeChanges
{
    /// <summary>Whether the node came, went, or changed in what it is, is to be or can do.</summary>
    public static bool Matter(StoreChangeKind kind, Node node, Node? old) =>
        kind != StoreChangeKind.Update
        || old is null
        || node.Role != old.Role
        || node.Status?.State != old.Status?.State
        || node.Status?.Addr != old.Status?.Addr
        || !Equals(node.Spec, old.Spec)
        || !Equals(node.Description, old.Description);
}

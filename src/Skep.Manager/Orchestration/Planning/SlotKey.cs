namespace Skep.Manager.Orchestration;

/// <summary>The place of a task in its service: a numbered slot of a replicated one, a node of a global one.</summary>
/// <param name="Slot">1 and up for replicated services, 0 and up for replicated jobs, 0 for global ones.</param>
/// <param name="NodeId">The node for global services, else empty.</param>
internal readonly record struct SlotKey(ulong Slot, string NodeId)
{
    /// <summary>The place of a task in a replicated service or job.</summary>
    public static SlotKey Numbered(ulong slot) => new(slot, "");

    /// <summary>The place of a task in a global service or job.</summary>
    public static SlotKey OnNode(string nodeId) => new(0, nodeId);
}

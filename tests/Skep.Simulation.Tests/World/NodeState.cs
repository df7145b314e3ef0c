using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>What a member's log leads to, as it runs or in a snapshot; with a digest of all that led to it.</summary>
internal abstract class NodeState
{
    private const ulong Prime = 1099511628211;

    public ulong Digest { get; protected set; } = 14695981039346656037;

    public virtual void Apply(in LogRecord entry) => Mix(entry.Index * 31 + entry.Term);

    /// <summary>As it is now, for a snapshot; nothing that is applied later is seen in it.</summary>
    public abstract NodeState Clone();

    /// <summary>What goes on from another member's snapshot.</summary>
    public virtual NodeState Install(NodeState snapshot) => snapshot.Clone();

    /// <summary>What another member says beside the group's messages.</summary>
    public virtual void HearAside(ulong from, byte[] bytes)
    {
    }

    /// <summary>The member has done all that was to be done for now.</summary>
    public virtual void Rest()
    {
    }

    protected void Mix(ulong value) => Digest = (Digest ^ value) * Prime;
}

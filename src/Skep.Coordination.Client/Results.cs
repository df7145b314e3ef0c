using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>A znode's data and what is known of it. <see cref="Data"/> is a slice of the frame received and belongs to the caller.</summary>
public readonly record struct NodeData(ReadOnlyMemory<byte> Data, Stat Stat)
{
    /// <summary>Whether the znode has no data at all, which the protocol tells from data without bytes.</summary>
    public bool IsNull { get; init; }
}

/// <summary>The names of a znode's children, without their path and in no order, and what is known of the znode.</summary>
public readonly record struct NodeChildren(IReadOnlyList<string> Children, Stat Stat);

/// <summary>A znode's ACL; the version that a change of it checks is <see cref="Stat.Aversion"/>.</summary>
public readonly record struct NodeAcl(IReadOnlyList<Acl> Acl, Stat Stat);

/// <summary>A znode made: its path, with its number if it is sequential, and what is known of it.</summary>
public readonly record struct CreatedNode(string Path, Stat Stat);

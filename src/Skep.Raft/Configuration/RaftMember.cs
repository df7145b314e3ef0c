namespace Skep.Raft;

/// <summary>One member of a Raft group.</summary>
/// <param name="Id">Never 0, never used again for another member.</param>
/// <param name="Address">Where its peers reach it, host:port; empty for a member that has no peers.</param>
public sealed record RaftMember(ulong Id, string Address);

namespace Skep.Raft;

/// <summary>This member does not lead the group, so it took nothing; <see cref="LeaderId"/> may.</summary>
public sealed class NotLeaderException : Exception
{
    /// <param name="leader">Who leads as far as known; null when nobody is known to.</param>
    public NotLeaderException(RaftMember? leader)
        : base(leader is null ? "no member is known to lead the group: fewer than a majority may be up" : $"member {leader.Id:x} at {leader.Address} leads the group")
        => LeaderId = leader?.Id ?? 0;

    /// <summary>Who leads as far as known; 0 when nobody is known to.</summary>
    public ulong LeaderId { get; }
}

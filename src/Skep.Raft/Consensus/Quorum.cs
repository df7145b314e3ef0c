namespace Skep.Raft.Consensus;

/// <summary>What majorities hold. While a change is under way both sets of voters must have their own majority.</summary>
internal static class Quorum
{
    /// <summary>The highest value that a majority of each set has reached.</summary>
    public static T Reached<T>(RaftConfiguration configuration, Func<ulong, T> valueOf) where T : struct, IComparable<T>
    {
        var incoming = Reached(configuration.Voters, valueOf);
        if (configuration.OutgoingVoters.Count == 0)
        {
            return incoming;
        }

        var outgoing = Reached(configuration.OutgoingVoters, valueOf);
        return outgoing.CompareTo(incoming) < 0 ? outgoing : incoming;
    }

    /// <summary>true: won. false: can no longer be won. null: open.</summary>
    public static bool? Outcome(RaftConfiguration configuration, Dictionary<ulong, bool> votes)
    {
        var incoming = Outcome(configuration.Voters, votes);
        if (configuration.OutgoingVoters.Count == 0)
        {
            return incoming;
        }

        var outgoing = Outcome(configuration.OutgoingVoters, votes);
        return incoming is false || outgoing is false ? false : incoming is true && outgoing is true ? true : null;
    }

    public static bool IsVoter(this RaftConfiguration configuration, ulong id) =>
        configuration.Voters.Any(m => m.Id == id) || configuration.OutgoingVoters.Any(m => m.Id == id);

    public static bool IsJoint(this RaftConfiguration configuration) => configuration.OutgoingVoters.Count > 0;

    public static IEnumerable<ulong> MemberIds(this RaftConfiguration configuration) =>
        configuration.Voters.Concat(configuration.OutgoingVoters).Concat(configuration.Learners).Select(m => m.Id).Distinct();

    private static T Reached<T>(IReadOnlyList<RaftMember> voters, Func<ulong, T> valueOf) where T : struct, IComparable<T>
    {
        if (voters.Count == 0)
        {
            return default;
        }

        var values = new T[voters.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = valueOf(voters[i].Id);
        }

        Array.Sort(values);
        return values[(values.Length - 1) / 2];
    }

    private static bool? Outcome(IReadOnlyList<RaftMember> voters, Dictionary<ulong, bool> votes)
    {
        var majority = voters.Count / 2 + 1;
        var granted = voters.Count(v => votes.TryGetValue(v.Id, out var yes) && yes);
        var refused = voters.Count(v => votes.TryGetValue(v.Id, out var yes) && !yes);
        return granted >= majority ? true : voters.Count - refused < majority ? false : null;
    }
}

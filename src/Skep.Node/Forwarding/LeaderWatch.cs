using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Node.Forwarding;

/// <summary>How long there has been no leader, and what to say of it.</summary>
/// <param name="store">The store of this manager.</param>
/// <param name="nameOf">What people call a member.</param>
/// <param name="time">The clock.</param>
internal sealed class LeaderWatch(DurableStore store, Func<ulong, string> nameOf, TimeProvider time)
{
    // Longer than any election takes where a majority is up.
    private static readonly TimeSpan Election = TimeSpan.FromSeconds(3);

    private volatile Leaderless? leaderless = new(time.GetTimestamp());

    /// <summary>Whether no leader is to be waited for: there has been none for a while, and too few members answer to elect one.</summary>
    public bool IsHopeless =>
        leaderless is { } now && time.GetElapsedTime(now.Since) > Election
        && store.Members.View.Voters.ToList() is var voters && voters.Count(v => store.Members.IsConnected(v.Id)) <= voters.Count / 2;

    /// <summary>Takes note of what the group says.</summary>
    public void Observe(MembersView view) =>
        leaderless = view.LeaderId != 0 ? null : leaderless ?? new(time.GetTimestamp());

    /// <summary>What a reader is warned of.</summary>
    public string WhyStale() => $"there is no leading manager: this is what {nameOf(store.MemberId)} knew last and may be out of date. {Missing()}";

    /// <summary>Why a read is refused where there is not even something stale to tell.</summary>
    public string WhyNothingIsKnown() => $"there is no leading manager, and {nameOf(store.MemberId)} knows nothing of the cluster yet. {Missing()}";

    /// <summary>Why a write is refused, and what would mend it.</summary>
    public string WhyNoLeader() => $"there is no leading manager, so nothing can be changed. {Missing()}";

    private string Missing()
    {
        List<ClusterMember> voters = [.. store.Members.View.Voters];
        if (voters.Count == 0)
        {
            return "This manager waits to be taken in by the others: is one of them up?";
        }
        List<string> missing = [.. voters.Where(v => !store.Members.IsConnected(v.Id)).Select(v => $"{nameOf(v.Id)} ({v.Address})")];
        int needed = (voters.Count / 2) + 1;
        return missing.Count == 0
            ? $"All {voters.Count} managers answer: an election is under way"
            : $"{voters.Count - missing.Count} of {voters.Count} managers are up and {needed} are needed; not reached: {string.Join(", ", missing)}. "
                + "Start them again, or, if they are lost for good, start one that is left with --force-new-cluster";
    }

    private sealed record Leaderless(long Since);
}

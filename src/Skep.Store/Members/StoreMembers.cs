using Skep.Raft;

namespace Skep.Store.Members;

/// <summary>The group that the store stands on, or a further one of the same log, as its users see and change it.</summary>
public sealed class StoreMembers
{
    private readonly ReplicaGroup group;
    private readonly RaftHost host;
    private readonly ulong self;
    private Seen seen;

    internal StoreMembers(ReplicaGroup group, RaftHost host, ulong self)
    {
        (this.group, this.host, this.self) = (group, host, self);
        ReplicaStatus status = group.Status;
        seen = new(status, Describe(status));
    }

    /// <summary>The members now.</summary>
    public MembersView View => Of(group.Status);

    /// <summary>Per member how many entries it lacks on its disk, as a leader knows it; empty elsewhere.</summary>
    public IReadOnlyDictionary<ulong, ulong> LagEntries => group.Status.LagByMember;

    /// <summary>Whether this member's disk is full: the others go on without its copy, and better without its lead.</summary>
    public bool IsDiskFull => group.UntilFull.IsCompleted;

    /// <summary>Waits until they are as is wanted.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task<MembersView> WaitForAsync(Func<MembersView, bool> wanted, CancellationToken ct) =>
        Of(await group.WaitForAsync(status => wanted(Of(status)), ct).ConfigureAwait(false));

    /// <summary>Brings this member to all that was committed when the call began; false where no leader answers.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task<bool> TryCatchUpAsync(CancellationToken ct)
    {
        try
        {
            await WaitForAsync(static v => v.LeaderId != 0, ct).ConfigureAwait(false);
            await group.ReadIndexAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (NotLeaderException)
        {
            return false;
        }
    }

    /// <summary>What this member, as leader, knows of all; empty where it does not lead.</summary>
    public async Task<IReadOnlyList<MemberStanding>> ReadStandingsAsync(CancellationToken ct) =>
        [.. (await group.ReadStandingsAsync(ct).ConfigureAwait(false)).Select(static s => new MemberStanding(s.Id, s.LagEntries, TimeSpan.FromMilliseconds(s.SilentMs), s.IsCaughtUp))];

    /// <summary>Whether a connection to a member stands, as far as something was to be sent to it.</summary>
    public bool IsConnected(ulong member) => member == self || host.IsConnected(member);

    /// <summary>Changes the members; returns when the leader has begun to.</summary>
    /// <exception cref="InvalidOperationException">It cannot be changed so, or not now; the message says why.</exception>
    public Task ChangeAsync(IEnumerable<ClusterMember> members, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(members);
        List<ClusterMember> all = [.. members];
        return group.ChangeMembersAsync(Those(MemberKind.Voter), Those(MemberKind.Learner), ct);

        RaftMember[] Those(MemberKind kind) => [.. all.Where(m => m.Kind == kind).Select(static m => new RaftMember(m.Id, m.Address))];
    }

    /// <summary>Hands the lead to a member; returns when that one leads.</summary>
    /// <exception cref="InvalidOperationException">It was not handed over; the message says why.</exception>
    public Task TransferAsync(ulong member, CancellationToken ct) => group.TransferAsync(member, ct);

    // Asked for at each call that comes in: made anew only where something changed.
    private MembersView Of(ReplicaStatus status)
    {
        Seen last = seen;
        if (!ReferenceEquals(last.Status, status))
        {
            seen = last = new(status, Describe(status));
        }
        return last.View;
    }

    private MembersView Describe(ReplicaStatus status)
    {
        RaftConfiguration c = status.Configuration;
        return new(
            self,
            status.IsReady,
            status.Term,
            status.LeaderId,
            [
                .. c.Voters.Select(static m => new ClusterMember(m.Id, m.Address, MemberKind.Voter)),
                .. c.OutgoingVoters.Where(o => c.Voters.All(v => v.Id != o.Id)).Select(static m => new ClusterMember(m.Id, m.Address, MemberKind.Leaving)),
                .. c.Learners.Select(static m => new ClusterMember(m.Id, m.Address, MemberKind.Learner)),
            ],
            status.LastIndex,
            status.CommitIndex,
            status.AppliedIndex);
    }

    private sealed record Seen(ReplicaStatus Status, MembersView View);
}

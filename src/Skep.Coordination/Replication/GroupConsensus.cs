using Skep.Raft;

namespace Skep.Coordination.Replication;

/// <summary>The group as a member sees it, on <see cref="ReplicaGroup"/>. Nobody leads before it is there.</summary>
/// <param name="memberId">This member.</param>
internal sealed class GroupConsensus(ulong memberId) : IConsensus
{
    private ReplicaGroup? _group;
    private (RaftConfiguration? Of, string Text) _members = (null, "");

    public ReplicaGroup? Group
    {
        get => Volatile.Read(ref _group);
        set => Volatile.Write(ref _group, value);
    }

    public Standing Standing => Group?.Status is { } status
        ? new Standing(status.LeaderId, status.Term, status.IsReady, status.Configuration.Voters.Count, Observes(status.Configuration))
        : default;

    public string Members
    {
        get
        {
            RaftConfiguration? now = Group?.Status.Configuration;
            if (now is not null && !ReferenceEquals(now, _members.Of))
            {
                _members = (now, string.Join('\n', now.Voters.Select(static m => (m, "participant"))
                    .Concat(now.Learners.Select(static m => (m, "observer")))
                    .Select(static (m, n) => $"server.{n + 1}={m.m.Address}:{m.m.Address[(m.m.Address.LastIndexOf(':') + 1)..]}:{m.Item2}")));
            }
            return _members.Text;
        }
    }

    // Asked at each batch of writes: a handful of learners at most, of whom mostly there are none.
    private bool Observes(RaftConfiguration configuration)
    {
        foreach (RaftMember learner in configuration.Learners)
        {
            if (learner.Id == memberId)
            {
                return true;
            }
        }
        return false;
    }

    public void Propose(ReadOnlyMemory<byte> command, Action decided)
    {
        if (Group is not { } group)
        {
            decided();
            return;
        }
        _ = ProposeAsync(group, command, decided);
    }

    public void ReadIndex(Action<bool> done)
    {
        if (Group is not { } group)
        {
            done(false);
            return;
        }
        _ = ReadIndexAsync(group, done);
    }

    public void HurryCommit(ulong member) => Group?.HurryCommit(member);

    public void SendAside(ulong member, ReadOnlyMemory<byte> bytes) => Group?.SendAside(member, bytes.Span);

    private static async Task ProposeAsync(ReplicaGroup group, ReadOnlyMemory<byte> command, Action decided)
    {
        // What came of it is seen as it is applied: whoever misses his write there sends it again.
        Task proposal = group.ProposeAsync(command);
        await proposal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        decided();
    }

    private static async Task ReadIndexAsync(ReplicaGroup group, Action<bool> done)
    {
        Task read = group.ReadIndexAsync();
        await read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        done(read.IsCompletedSuccessfully);
    }
}

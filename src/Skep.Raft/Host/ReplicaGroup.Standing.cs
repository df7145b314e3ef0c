using Skep.Raft.Consensus;

namespace Skep.Raft;

// How the group stands, for those who look at it from outside, and when it is to look at the clock next.
public sealed partial class ReplicaGroup
{
    private void TellStatus()
    {
        // At each tick; at once for those who watch, and what others act upon.
        if (!Volatile.Read(ref _hasTicked) && Volatile.Read(ref _watchers) == 0 && Status.Term == _core.Term && Status.LeaderId == _core.Leader
            && Status.Role == RoleOf(_core.Role) && Status.IsReady == IsReady && ReferenceEquals(Status.Configuration, _core.Configuration))
        {
            return;
        }

        Volatile.Write(ref _hasTicked, false);
        var status = ReadStatus();
        if (status.AppliedIndex != Status.AppliedIndex || status.Term != Status.Term || status.Role != Status.Role || status.LeaderId != Status.LeaderId || status.IsReady != Status.IsReady
            || status.CommitIndex != Status.CommitIndex || status.LastIndex != Status.LastIndex || !ReferenceEquals(status.Configuration, Status.Configuration)
            || !status.LagByMember.SequenceEqual(Status.LagByMember))
        {
            var stands = status.Term == Status.Term && status.LeaderId == Status.LeaderId && status.IsReady == Status.IsReady;
            Status = status;
            if (!stands)
            {
                _options.StandingChanged?.Invoke();
            }

            Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }

    private void KeepPace()
    {
        if (_pace.Observe(Volatile.Read(ref _hasTicked), Cause(), _core.Term, _core.LastIndex, _core.Commit) || _ticked.IsSpent)
        {
            _ticked.Due(_pace.NextMs(_ticker.NowMs, _core.ElectionDueMs - NowMs()));
        }
    }

    private TickCause Cause()
    {
        if (_core.Role != Role.Leader)
        {
            return _core.Leader == 0 ? TickCause.Election : TickCause.Leader;
        }

        var members = _core.Configuration;
        var isAlone = members.Voters.Count == 1 && members.OutgoingVoters.Count == 0 && members.Learners.Count == 0;
        return isAlone ? TickCause.None : _core.IsAtRest ? TickCause.Heartbeats : TickCause.Laggards;
    }

    private bool IsReady => _core.Role == Role.Leader && _applied >= _core.TermStart;

    private ReplicaStatus ReadStatus() => new(
        RoleOf(_core.Role), _core.Term, _core.Leader, _core.Configuration, _core.LastIndex, _core.Commit, _applied)
    {
        IsReady = IsReady,
        LagByMember = _core.Members.ToDictionary(static m => m.Key, m => _core.LastIndex - Math.Min(_core.LastIndex, m.Value.Match)),
    };

    private static ReplicaRole RoleOf(Role role) =>
        role switch { Role.Leader => ReplicaRole.Leader, Role.Follower => ReplicaRole.Follower, _ => ReplicaRole.Candidate };
}

using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private const int MaxVoters = 7;
    private const int MaxLearners = 32;

    /// <summary>
    /// Changes the members to any other set. When voters change, the old and the new ones decide together first, and the
    /// leader, or the next one, ends that by itself.
    /// </summary>
    /// <returns>null, or why not.</returns>
    public string? ChangeConfiguration(IReadOnlyList<RaftMember> voters, IReadOnlyList<RaftMember> learners)
    {
        var current = _log.Configuration;
        if (Refusal(current, voters, learners) is { } refusal)
        {
            return refusal;
        }

        var sameVoters = voters.Select(v => v.Id).ToHashSet().SetEquals(current.Voters.Select(v => v.Id));
        var outgoing = sameVoters || HasFault(CoreFaults.SingleStepChange) ? [] : current.Voters;
        AppendConfiguration(new RaftConfiguration(voters, outgoing, learners));
        return null;
    }

    private string? Refusal(RaftConfiguration current, IReadOnlyList<RaftMember> voters, IReadOnlyList<RaftMember> learners)
    {
        if (Role != Role.Leader)
        {
            return $"member {Id:x} does not lead; ask the leader";
        }

        if (_transferTarget != 0)
        {
            return $"leadership is being handed to {_transferTarget:x}; ask again when that has ended";
        }

        if (current.IsJoint() || _log.ConfigurationIndex > Commit)
        {
            return "a change of members is under way; ask again when it has ended";
        }

        if (Commit < _termStart)
        {
            return "the leader is new and has not committed anything yet; ask again";
        }

        if (voters.Count is 0 or > MaxVoters)
        {
            return $"{voters.Count} voters were asked for, expected 1 to {MaxVoters}";
        }

        if (learners.Count > MaxLearners)
        {
            return $"{learners.Count} learners were asked for, expected at most {MaxLearners}";
        }

        var ids = voters.Concat(learners).Select(m => m.Id).ToList();
        if (ids.Contains(0) || ids.Distinct().Count() != ids.Count)
        {
            return "every member needs an id of its own other than 0, and is voter or learner";
        }

        foreach (var voter in voters.Where(v => !current.IsVoter(v.Id)))
        {
            if (!current.MemberIds().Contains(voter.Id) || !_progress.TryGetValue(voter.Id, out var progress))
            {
                return $"member {voter.Id:x} is not in the group: add it as a learner first";
            }

            if (!IsCaughtUp(progress))
            {
                return $"learner {voter.Id:x} holds the log up to {progress.Match} of {_log.LastIndex}: ask again when it has caught up";
            }
        }

        return null;
    }

    private bool IsCaughtUp(Progress progress) =>
        progress.State == ProgressState.Replicate && progress.Match + _options.CaughtUpEntries >= _log.LastIndex;

    private void AppendConfiguration(RaftConfiguration configuration)
    {
        _log.Append(LogRecord.Configuration(_options.Group, _log.LastIndex + 1, Term, configuration.Encode()));
        FollowConfiguration();
        AdvanceOwn();
    }

    private void FollowConfiguration()
    {
        var ids = _log.Configuration.MemberIds().Append(Id).ToHashSet();
        foreach (var (id, progress) in _progress)
        {
            progress.LeavingSinceMs = ids.Contains(id) ? null : progress.LeavingSinceMs ?? _nowMs;
        }

        foreach (var id in ids)
        {
            _progress.TryAdd(id, new Progress(_options, _log.LastIndex + 1, _nowMs));
        }
    }

    /// <summary>Who leaves is told so, and has an election time-out to hear it; else it would go on asking for votes.</summary>
    private void ForgetLeavers()
    {
        var gone = _progress.Where(p => p.Value.LeavingSinceMs is { } since
            && (_nowMs - since >= _options.ElectionTimeoutMs || (Commit >= _log.ConfigurationIndex && p.Value.Match >= _log.ConfigurationIndex && p.Value.CommitSent >= _log.ConfigurationIndex)));
        foreach (var (id, _) in gone.ToList())
        {
            _progress.Remove(id);
        }
    }

    /// <summary>Ends a change whose first half is committed, whoever began it; and goes when it is no longer a voter.</summary>
    private void ContinueChange()
    {
        if (Role != Role.Leader || _transferTarget != 0 || _log.ConfigurationIndex > Commit || Commit < _termStart)
        {
            return;
        }

        var configuration = _log.Configuration;
        if (configuration.IsJoint())
        {
            AppendConfiguration(configuration with { OutgoingVoters = [] });
        }
        else if (!configuration.IsVoter(Id))
        {
            Retire();
        }
    }

    /// <summary>The others learn that the change is committed, and who is furthest takes over at once.</summary>
    private void Retire()
    {
        SendEntries();
        VoidLease();
        foreach (var voter in _log.Configuration.Voters)
        {
            if (_progress[voter.Id].Match == _log.LastIndex)
            {
                Send(ToFollower(MessageType.TimeoutNow, voter.Id) with { Index = _log.LastIndex }, 0);
                break;
            }
        }

        BecomeFollower(Term, 0);
    }
}

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private bool _forced;

    /// <summary>
    /// A leader was heard within the shortest election time-out, so no one else is given a vote: the leader's lease counts
    /// on it, whatever became of terms since.
    /// </summary>
    private bool HasPromised => Role == Role.Leader || _nowMs - _leaderHeardMs < _options.ElectionTimeoutMs;

    /// <summary>
    /// Who leaves the voters may lead until that is committed: perhaps only those who leave hold the entry by which they do.
    /// </summary>
    private bool IsPromotable => _log.ConfigurationsSince(Commit).Any(c => c.IsVoter(Id)) && !_log.IsInstalling;

    /// <summary>Asks for votes; the pre-vote changes nothing yet, so a member that was cut off disturbs no one.</summary>
    private void Campaign(bool pre, bool force)
    {
        Leader = 0;
        _votes.Clear();
        _forced = force;
        if (pre)
        {
            Role = Role.PreCandidate;
            _votes[Id] = true;
        }
        else
        {
            Role = Role.Candidate;
            SetTerm(Term + 1);
            _vote = Id;
            TermChanged();
            RestartTimer();

            // Its own vote counts when it is on disk, as another's would.
            Send(new Message { Type = MessageType.VoteResponse, From = Id, To = Id, Term = Term }, _termSequence);
        }

        AskForVotes();
        Count();
    }

    private void AskForVotes()
    {
        _lastSentMs = _nowMs;
        foreach (var id in _log.Configuration.MemberIds())
        {
            if (id != Id && !_votes.ContainsKey(id) && _log.Configuration.IsVoter(id))
            {
                // Sent after the term is on disk, and so after all entries that the vote is asked on the strength of.
                Send(
                    new Message
                    {
                        Type = Role == Role.PreCandidate ? MessageType.PreVote : MessageType.Vote,
                        From = Id,
                        To = id,
                        Term = Role == Role.PreCandidate ? Term + 1 : Term,
                        Index = _log.LastIndex,
                        LogTerm = _log.LastTerm,
                        Force = _forced,
                    },
                    _termSequence);
            }
        }
    }

    private void HandleVote(Message m)
    {
        var pre = m.Type == MessageType.PreVote;
        var upToDate = m.LogTerm > _log.LastTerm || (m.LogTerm == _log.LastTerm && m.Index >= _log.LastIndex);
        var free = pre ? m.Term > Term : _vote == m.From || (_vote == 0 && Leader == 0);
        if (upToDate && free && !pre && _vote != m.From)
        {
            _vote = m.From;
            TermChanged();
            RestartTimer();
        }

        var granted = upToDate && free;
        Send(
            new Message
            {
                Type = pre ? MessageType.PreVoteResponse : MessageType.VoteResponse,
                From = Id,
                To = m.From,
                Term = pre && granted ? m.Term : Term,
                Reject = !granted,
            },
            _termSequence);
    }

    private void HandleVoteResponse(Message m)
    {
        var pre = m.Type == MessageType.PreVoteResponse;
        var expected = pre && !m.Reject ? Term + 1 : Term;
        if (m.Term == expected && Role == (pre ? Role.PreCandidate : Role.Candidate))
        {
            _votes.TryAdd(m.From, !m.Reject);
            Count();
        }
    }

    private void Count()
    {
        switch (Quorum.Outcome(_log.Configuration, _votes))
        {
            case true when Role == Role.PreCandidate:
                Campaign(pre: false, force: false);
                break;
            case true when Role == Role.Candidate:
                BecomeLeader();
                break;
            case false:
                BecomeFollower(Term, 0);
                break;
            default:
                break;
        }
    }

    /// <summary>The leader hands over, if this is still the moment it meant: its term, and the end of its log.</summary>
    private void HandleTimeoutNow(Message m)
    {
        if (Role == Role.Follower && IsPromotable && _log.LastIndex == m.Index)
        {
            Campaign(pre: false, force: true);
        }
    }
}

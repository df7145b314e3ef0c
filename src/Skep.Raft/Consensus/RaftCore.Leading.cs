using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private readonly Queue<(ulong Index, long SizeBytes)> _uncommitted = new();
    private long _uncommittedBytes;
    private ulong _termStart;

    /// <summary>The first entry of the term that this member leads, or led last.</summary>
    public ulong TermStart => _termStart;

    /// <summary>What a leader knows of the members; empty elsewhere.</summary>
    public List<ReplicaStanding> Standings() => Role != Role.Leader ? [] :
    [
        .. _progress.Select(p => new ReplicaStanding(
            p.Key, _log.LastIndex - Math.Min(_log.LastIndex, p.Value.Match), p.Key == Id ? 0 : _nowMs - p.Value.HeardMs, IsCaughtUp(p.Value))),
    ];

    /// <summary>Takes commands into the log, all or none.</summary>
    public ProposalResult Propose(IReadOnlyList<ReadOnlyMemory<byte>> commands)
    {
        if (Role != Role.Leader)
        {
            return new ProposalResult(ProposalStatus.NotLeader);
        }

        if (_transferTarget != 0)
        {
            return new ProposalResult(ProposalStatus.Transferring);
        }

        if (_uncommittedBytes >= _options.MaxUncommittedBytes)
        {
            return new ProposalResult(ProposalStatus.TooMuchInFlight);
        }

        var first = _log.LastIndex + 1;
        for (var i = 0; i < commands.Count; i++)
        {
            var entry = LogRecord.Command(_options.Group, _log.LastIndex + 1, Term, commands[i]);
            var size = EntryLog.SizeOf(entry);
            _uncommitted.Enqueue((entry.Index, size));
            _uncommittedBytes += size;
            _log.Append(entry);
        }

        AdvanceOwn();
        return new ProposalResult(ProposalStatus.Accepted, first, Term);
    }

    private void BecomeLeader()
    {
        Role = Role.Leader;
        Leader = Id;
        _round = 0;
        _leaseVoid = false;
        _lastSentMs = _nowMs;
        _progress.Clear();
        FollowConfiguration();
        _termStart = _log.LastIndex + 1;

        // By an entry of its own term a leader commits what earlier terms left.
        _log.Append(LogRecord.NoOp(_options.Group, _termStart, Term));
        AdvanceOwn();
    }

    private void LeaveLead()
    {
        _uncommitted.Clear();
        _uncommittedBytes = 0;
        _transferTarget = 0;
        RefuseReads();
        _progress.Clear();
    }

    private void TickLeader()
    {
        var heard = Quorum.Reached(_log.Configuration, id => id == Id ? _nowMs : _progress[id].HeardMs);
        if (_nowMs - heard >= _options.ElectionTimeoutMs)
        {
            // Cut off from the majority: whoever waits here is better told so.
            BecomeFollower(Term, 0);
            return;
        }

        if (_transferTarget != 0 && _nowMs - _transferSinceMs >= _options.ElectionTimeoutMs)
        {
            _transferTarget = 0;
        }

        ForgetLeavers();
        ContinueChange();
        if (Role == Role.Leader && _nowMs - _lastSentMs >= (IsAtRest ? _options.RestHeartbeatMs : _options.HeartbeatMs))
        {
            SendHeartbeats();
        }
    }

    /// <summary>Whether all members have all there is, and know it.</summary>
    public bool IsAtRest
    {
        get
        {
            if (Commit != _log.LastIndex || _pendingReads.Count > 0 || _transferTarget != 0)
            {
                return false;
            }

            foreach (var (id, progress) in _progress)
            {
                if (id != Id && (progress.Match != Commit || progress.CommitSent != Commit || progress.State != ProgressState.Replicate))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private void SendHeartbeats()
    {
        _round++;
        _lastSentMs = _nowMs;
        foreach (var (id, progress) in _progress)
        {
            if (id != Id)
            {
                Send(ToFollower(MessageType.Heartbeat, id) with { Commit = Math.Min(progress.Match, Commit) }, 0);
            }
        }

        OfferLead();
        SettleReads();
    }

    private Message ToFollower(MessageType type, ulong to) =>
        new() { Type = type, From = Id, To = to, Term = Term, Round = _round, SentMs = _nowMs };

    private void HandleAnswer(Message m)
    {
        if (!_progress.TryGetValue(m.From, out var progress))
        {
            return;
        }

        progress.HeardMs = _nowMs;
        progress.AnsweredRound = Math.Max(progress.AnsweredRound, m.Round);
        progress.AnsweredSentMs = Math.Max(progress.AnsweredSentMs ?? m.SentMs, m.SentMs);
        if (m.Type == MessageType.HeartbeatResponse)
        {
            progress.ProbeSent = false;
            if (progress.State == ProgressState.Replicate && progress.InFlight.Count > 0 && _nowMs - progress.WaitingSinceMs >= _options.ResendMs)
            {
                progress.BecomeProbe();
            }
        }
        else if (m.Reject)
        {
            // The hint is the follower's; this log knows which of its own entries can still agree with it.
            progress.Refuse(m.Index, _log.LastNotAbove(m.Hint, m.LogTerm).Index);
        }
        else if (progress.Acknowledge(m.Index, _nowMs))
        {
            Advance(m.From, progress);
        }

        SettleReads();
    }

    private void Advance(ulong id, Progress progress)
    {
        var caughtSnapshot = progress.State == ProgressState.Snapshot
            && (progress.Match >= progress.PendingSnapshot || _log.TermAt(progress.Match) is not null);
        if (progress.State == ProgressState.Probe || caughtSnapshot)
        {
            progress.BecomeReplicate();
        }

        if (id == _transferTarget)
        {
            OfferLead();
        }

        AdvanceCommit();
    }

    /// <summary>The leader is a follower of its own: it holds what its disk holds.</summary>
    private void AdvanceOwn()
    {
        if (Role == Role.Leader && _progress.TryGetValue(Id, out var own))
        {
            own.Match = HasFault(CoreFaults.AcknowledgeBeforeSync) ? _log.LastIndex : _log.StoredIndex;
            AdvanceCommit();
        }
    }

    private void AdvanceCommit()
    {
        var index = HasFault(CoreFaults.MedianOfReplies)
            ? MedianOfReplies()
            : Quorum.Reached(_log.Configuration, id => _progress[id].Match);
        if (index <= Commit || (_log.TermAt(index) != Term && !HasFault(CoreFaults.CommitEarlierTerm)))
        {
            return;
        }

        Commit = index;
        while (_uncommitted.TryPeek(out var first) && first.Index <= Commit)
        {
            _uncommittedBytes -= first.SizeBytes;
            _uncommitted.Dequeue();
        }

        BeginWaitingReads();
        ContinueChange();
    }

    private ulong MedianOfReplies()
    {
        var replies = _log.Configuration.Voters.Select(v => _progress[v.Id].Match).Where(m => m > 0).OrderDescending().ToList();
        return replies.Count > _log.Configuration.Voters.Count / 2 ? replies[replies.Count / 2] : 0;
    }
}

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private readonly List<PendingRead> _pendingReads = [];
    private readonly List<ReadState> _reads = [];
    private ulong _round;
    private bool _leaseVoid;

    /// <summary>
    /// Asks what must be applied before a read that begins now may be answered; the answer comes as a
    /// <see cref="ReadState"/>, if it comes: a follower asks the leader once.
    /// </summary>
    /// <param name="nowMs">The clock, read after the request had arrived.</param>
    /// <param name="context">Names the read in its answer.</param>
    /// <returns>false when no leader is known, or too much waits for this member's disk.</returns>
    public bool Read(long nowMs, ulong context)
    {
        _nowMs = Math.Max(_nowMs, nowMs);
        if (Role == Role.Leader)
        {
            AdmitRead(Id, context);
            return true;
        }

        if (Leader == 0 || _held.Count >= _options.MaxPendingReads)
        {
            return false;
        }

        Send(new Message { Type = MessageType.ReadIndex, From = Id, To = Leader, Term = Term, Context = context }, _termSequence);
        return true;
    }

    /// <summary>
    /// Whether no other member can lead at this moment. A host that reads its state without asking for an index checks this
    /// after the read, on a clock that it read after that.
    /// </summary>
    public bool LeaseHolds(long nowMs)
    {
        if (Role != Role.Leader || !_options.UseLease || _leaseVoid || Commit < _termStart)
        {
            return false;
        }

        var sent = Quorum.Reached(_log.Configuration, id => id == Id ? nowMs : _progress[id].AnsweredSentMs ?? nowMs - _options.LeaseMs);
        return nowMs - sent < _options.LeaseMs;
    }

    private void AdmitRead(ulong from, ulong context)
    {
        if (Commit >= _termStart && (LeaseHolds(_nowMs) || HasFault(CoreFaults.ReadWithoutLeaseCheck)))
        {
            AnswerRead(from, context, Commit);
        }
        else if (_pendingReads.Count >= _options.MaxPendingReads)
        {
            AnswerRead(from, context, null);
        }
        else
        {
            // Before an entry of this term is committed the leader does not know what is; index 0 stands for that.
            _pendingReads.Add(new PendingRead(from, context, _round + 1, Commit >= _termStart ? Commit : 0));
        }
    }

    /// <summary>All reads that came since the last output share one round of heartbeats.</summary>
    private void BeginRound()
    {
        if (Role == Role.Leader && _pendingReads.Count > 0 && _pendingReads[^1].Round > _round && Commit >= _termStart)
        {
            SendHeartbeats();
        }
    }

    private void BeginWaitingReads()
    {
        if (Commit >= _termStart)
        {
            for (var i = 0; i < _pendingReads.Count; i++)
            {
                if (_pendingReads[i].Index == 0)
                {
                    _pendingReads[i] = _pendingReads[i] with { Index = Commit, Round = _round + 1 };
                }
            }
        }
    }

    private void SettleReads()
    {
        if (_pendingReads.Count == 0 || Commit < _termStart)
        {
            return;
        }

        var answered = Quorum.Reached(_log.Configuration, id => id == Id ? _round : _progress[id].AnsweredRound);
        _pendingReads.RemoveAll(read =>
        {
            if (read.Index == 0 || read.Round > answered)
            {
                return false;
            }

            AnswerRead(read.From, read.Context, read.Index);
            return true;
        });
    }

    private void RefuseReads()
    {
        foreach (var read in _pendingReads)
        {
            AnswerRead(read.From, read.Context, null);
        }

        _pendingReads.Clear();
    }

    /// <summary>Has a member told at once how far the group has committed, where this one leads.</summary>
    public void HurryCommit(ulong id)
    {
        if (_progress.TryGetValue(id, out var progress))
        {
            progress.CommitSentMs = _nowMs - _options.CommitNoticeMs;
        }
    }

    private void AnswerRead(ulong from, ulong context, ulong? index)
    {
        if (from == Id)
        {
            _reads.Add(new ReadState(context, index));
        }
        else
        {
            // It waits to hear so before it answers.
            HurryCommit(from);
            Send(
                new Message
                {
                    Type = MessageType.ReadIndexResponse,
                    From = Id,
                    To = from,
                    Term = Term,
                    Context = context,
                    Index = index ?? 0,
                    Reject = index is null,
                },
                _termSequence);
        }
    }

    private readonly record struct PendingRead(ulong From, ulong Context, ulong Round, ulong Index);
}

using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private void HandleLeader(Message m)
    {
        if (Role == Role.Leader)
        {
            throw new InvalidOperationException($"members {Id:x} and {m.From:x} both lead term {Term}");
        }

        if (Role != Role.Follower || Leader != m.From)
        {
            BecomeFollower(Term, m.From);
        }

        RestartTimerFromLeader();
        switch (m.Type)
        {
            case MessageType.Append:
                HandleAppend(m);
                break;
            case MessageType.Heartbeat:
                Commit = Math.Max(Commit, Math.Min(m.Commit, _log.LastIndex));
                Send(Answer(m, MessageType.HeartbeatResponse), _termSequence);
                break;
            default:
                HandleSnapshot(m);
                break;
        }
    }

    private void RestartTimerFromLeader()
    {
        RestartTimer();
        _leaderHeardMs = _nowMs;
    }

    private void HandleAppend(Message m)
    {
        if (m.Index < Commit)
        {
            Acknowledge(m, Commit);
        }
        else if (_log.TermAt(m.Index) != m.LogTerm)
        {
            var (hint, hintTerm) = _log.LastNotAbove(Math.Min(m.Index, _log.LastIndex), m.LogTerm);
            Send(Answer(m, MessageType.AppendResponse) with { Index = m.Index, Reject = true, Hint = hint, LogTerm = hintTerm }, _termSequence);
        }
        else if (m.Entries.Count == 0 || _log.UnstoredBytes <= _options.MaxUnstoredBytes)
        {
            Take(m.Entries);
            var last = m.Index + (ulong)m.Entries.Count;
            Commit = Math.Max(Commit, Math.Min(m.Commit, last));
            Acknowledge(m, last);
        }
    }

    private void Take(IReadOnlyList<LogRecord> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry.Index <= _log.LastIndex)
            {
                if (_log.TermAt(entry.Index) == entry.Term)
                {
                    continue;
                }

                if (entry.Index <= Commit)
                {
                    throw new InvalidOperationException($"member {Id:x}: entry {entry.Index} is committed, and leader {Leader:x} has another in its place");
                }

                _log.TruncateFrom(entry.Index);
            }

            _log.Append(entry);
        }
    }

    private void HandleSnapshot(Message m)
    {
        var snapshot = m.Snapshot!;
        if (snapshot.Index <= Commit)
        {
            Acknowledge(m, Commit);
            return;
        }

        if (_log.TermAt(snapshot.Index) == snapshot.Term)
        {
            Commit = snapshot.Index;
        }
        else
        {
            _log.Restore(snapshot, Commit);
            Commit = snapshot.Index;
        }

        Acknowledge(m, Commit);
    }

    /// <summary>Says how far this member holds the leader's log, once that is on disk.</summary>
    private void Acknowledge(Message m, ulong index) =>
        Send(
            Answer(m, MessageType.AppendResponse) with { Index = index },
            HasFault(CoreFaults.AcknowledgeBeforeSync) ? 0 : WriteSequence);

    private Message Answer(Message m, MessageType type) =>
        new() { Type = type, From = Id, To = m.From, Term = Term, Round = m.Round, SentMs = m.SentMs };
}

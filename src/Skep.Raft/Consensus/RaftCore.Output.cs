using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private readonly List<(Message Message, ulong After)> _held = [];
    private readonly List<Message> _outbox = [];
    private ulong _issued;
    private ulong _stored;
    private ulong _termSequence;
    private bool _hardStateChanged;
    private ulong _applyTold;

    /// <summary>The write after which everything that is in memory now is on disk.</summary>
    private ulong WriteSequence => _hardStateChanged || _log.HasPending ? _issued + 1 : _issued;

    /// <summary>All writes up to this number are on disk.</summary>
    public void Stored(ulong sequence)
    {
        _stored = Math.Max(_stored, sequence);
        _log.Stored(sequence);
        AdvanceOwn();
        if (_held.Count == 0)
        {
            return;
        }

        var released = _held.Where(h => h.After <= _stored).Select(h => h.Message).ToList();
        _held.RemoveAll(h => h.After <= _stored);
        foreach (var message in released)
        {
            if (message.To == Id)
            {
                Step(_nowMs, message);
            }
            else
            {
                _outbox.Add(message);
            }
        }
    }

    /// <summary>What is to be done, or null. To be asked after every input, or after some.</summary>
    public CoreOutput? TakeOutput()
    {
        if (Role == Role.Leader)
        {
            BeginRound();
            SendEntries();
        }

        LogWrite? write = null;
        if (_hardStateChanged || _log.HasPending)
        {
            // A commit index is remembered only as far as the entries that are on disk for sure.
            var vote = HasFault(CoreFaults.VoteNotDurable) ? 0 : _vote;
            HardState? hardState = _hardStateChanged ? new HardState(Term, vote, Math.Min(Commit, _log.StoredIndex)) : null;
            write = _log.TakeWrite(++_issued, hardState);
            _hardStateChanged = false;
        }

        // Until a snapshot is installed there is nothing to apply: what it replaces is gone from here.
        var applyUpTo = _log.IsInstalling ? 0 : Math.Min(Commit, _log.StoredIndex);
        if (_outbox.Count == 0 && write is null && applyUpTo <= _applyTold && _reads.Count == 0)
        {
            return null;
        }

        _applyTold = Math.Max(_applyTold, applyUpTo);
        var output = new CoreOutput([.. _outbox], write, _applyTold, [.. _reads]);
        _outbox.Clear();
        _reads.Clear();
        return output;
    }

    private void TermChanged()
    {
        _hardStateChanged = true;
        _termSequence = _issued + 1;
    }

    /// <summary>Sends when the write of this number is on disk; 0: at once.</summary>
    private void Send(Message message, ulong after)
    {
        if (after > _stored || message.To == Id)
        {
            // The later one says all that an earlier one does, and while a disk stands still nothing piles up.
            if (message.Type is not (MessageType.ReadIndex or MessageType.ReadIndexResponse))
            {
                _held.RemoveAll(h => h.After == after && h.Message.Type == message.Type && h.Message.Reject == message.Reject
                    && h.Message.To == message.To && h.Message.Term == message.Term && h.Message.Index <= message.Index);
            }

            _held.Add((message, after));
        }
        else
        {
            _outbox.Add(message);
        }
    }
}

using Skep.Raft.Consensus;

namespace Skep.Raft;

// What callers propose: taken in batches, held back, refused, or lost with the lead.
public sealed partial class ReplicaGroup
{
    private const int MaxBatchEntries = 4096;
    private const int MaxBatchSizeBytes = 2 * 1024 * 1024;

    private void Propose()
    {
        while (true)
        {
            if (!_heldBack)
            {
                Collect();
            }

            if (_batch.Count == 0)
            {
                return;
            }

            if (_writer.Full is { } full)
            {
                Refuse(full);
                continue;
            }

            RefuseOfOtherTerms();
            if (_batch.Count == 0)
            {
                continue;
            }

            _commands.Clear();
            foreach (var proposal in _batch)
            {
                _commands.Add(proposal.Command);
            }

            var result = _core.Propose(_commands);
            _commands.Clear();
            switch (result.Status)
            {
                case ProposalStatus.Accepted:
                    for (var i = 0; i < _batch.Count; i++)
                    {
                        _waiting.Enqueue((result.FirstIndex + (ulong)i, _batch[i]));
                    }

                    _batch.Clear();
                    _heldBack = false;
                    break;
                case ProposalStatus.NotLeader:
                    Refuse(NoLeader());
                    break;
                default:
                    // They wait here, and their successors in the queue, until there is room or the transfer is decided.
                    _heldBack = true;
                    return;
            }
        }
    }

    private void Collect()
    {
        var size = 0;
        while (_batch.Count < MaxBatchEntries && size < MaxBatchSizeBytes && _proposals.Reader.TryRead(out var proposal))
        {
            _batch.Add(proposal);
            size += proposal.Command.Length;
        }
    }

    private void RefuseOfOtherTerms()
    {
        for (var i = _batch.Count - 1; i >= 0; i--)
        {
            if (_batch[i].InTerm != 0 && _batch[i].InTerm != _core.Term)
            {
                _answers.Add(_batch[i], NoLeader());
                _batch.RemoveAt(i);
            }
        }

        _heldBack &= _batch.Count > 0;
    }

    private void Refuse(Exception error)
    {
        _batch.ForEach(p => _answers.Add(p, error));
        _batch.Clear();
        _heldBack = false;
    }

    // Whoever waits for what this member proposed cannot be told its fate once another leads.
    private void NoticeLead()
    {
        var leading = _core.Role == Role.Leader ? _core.Term : 0;
        if (leading != _leadingTerm)
        {
            _leadingTerm = leading;
            FailWaiting("another member leads now");
        }
    }

    private void FailWaiting(string why)
    {
        while (_waiting.TryDequeue(out var lost))
        {
            _answers.Add(lost.Proposal, new ProposalLostException(why));
        }
    }
}

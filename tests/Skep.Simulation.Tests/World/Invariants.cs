using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>What must hold after every step, whatever happens.</summary>
internal sealed class Invariants(IReadOnlyList<SimulatedNode> nodes, bool lookAtDisks)
{
    private readonly Dictionary<ulong, ulong> _leaders = [];
    private readonly Dictionary<(ulong Index, ulong Term), ulong> _prefixes = [];
    private readonly List<(ulong Term, ulong InTerm)> _committed = [(0, 0), (1, 1)];
    private readonly Dictionary<ulong, ulong> _digests = [];
    private ulong _acknowledged;

    public ulong CommittedIndex => (ulong)_committed.Count - 1;

    /// <summary>Log matching: one index and term, one log up to there.</summary>
    public void Appended(SimulatedNode node, LogWrite write)
    {
        foreach (var entry in write.Entries)
        {
            var before = node.Core.TermAt(entry.Index - 1) is { } term ? _prefixes.GetValueOrDefault((entry.Index - 1, term)) : 0;
            var content = new HashCode();
            content.Add(before);
            content.Add((byte)entry.Type);
            content.AddBytes(entry.Payload.Span);
            var prefix = (ulong)content.ToHashCode();
            if (!_prefixes.TryAdd((entry.Index, entry.Term), prefix) && node.Core.TermAt(entry.Index - 1) is not null && _prefixes[(entry.Index, entry.Term)] != prefix)
            {
                throw new SimulationFailure("log matching", $"member {node.Id} has another log up to entry {entry.Index} of term {entry.Term}");
            }
        }
    }

    public void Check(SimulatedNode node)
    {
        if (node.Core.Role == Role.Leader && node.SeenLeading != node.Core.Term)
        {
            node.SeenLeading = node.Core.Term;
            BeganToLead(node);
        }

        while (node.SeenCommit < node.Core.Commit)
        {
            Committed(node, ++node.SeenCommit);
        }
    }

    /// <summary>State machine safety: after the same entry, the same state.</summary>
    public void Applied(SimulatedNode node, ulong index, ulong digest)
    {
        if (index > CommittedIndex)
        {
            throw new SimulationFailure("state machine safety", $"member {node.Id} applies entry {index}, which is not committed");
        }

        if (!_digests.TryAdd(index, digest) && _digests[index] != digest)
        {
            throw new SimulationFailure("state machine safety", $"member {node.Id} arrives at another state by entry {index}");
        }
    }

    public void Acknowledged(ulong index) => _acknowledged = Math.Max(_acknowledged, index);

    /// <summary>At the end, when all members are back, each holds what was acknowledged.</summary>
    public void CheckDurability(SimulatedNode node)
    {
        if (node.Applied < _acknowledged)
        {
            throw new SimulationFailure("durability", $"entry {_acknowledged} was acknowledged, member {node.Id} ends at {node.Applied}");
        }
    }

    private void BeganToLead(SimulatedNode node)
    {
        var term = node.Core.Term;
        if (!_leaders.TryAdd(term, node.Id) && _leaders[term] != node.Id)
        {
            throw new SimulationFailure("election safety", $"members {_leaders[term]} and {node.Id} both lead term {term}");
        }

        for (var index = CommittedIndex; index > 0; index--)
        {
            var (entryTerm, inTerm) = _committed[(int)index];
            if (inTerm >= term)
            {
                continue;
            }

            // By log matching the last one stands for all.
            if (node.Core.TermAt(index) is var held && held != entryTerm && !(held is null && index <= node.Core.Commit))
            {
                throw new SimulationFailure("leader completeness", $"member {node.Id} leads term {term} without entry {index}, committed in term {inTerm}");
            }

            break;
        }
    }

    private void Committed(SimulatedNode node, ulong index)
    {
        var term = node.Core.TermAt(index);
        if (index <= CommittedIndex)
        {
            if (term is not null && term != _committed[(int)index].Term)
            {
                throw new SimulationFailure("state machine safety", $"entry {index} is committed with term {_committed[(int)index].Term}, on member {node.Id} with term {term}");
            }

            return;
        }

        if (term is null)
        {
            throw new SimulationFailure("state machine safety", $"member {node.Id} has a snapshot of entry {index}, which nobody committed");
        }

        _committed.Add((term.Value, node.Core.Term));
        if (lookAtDisks && node.Core.Role == Role.Leader && !Quorum.Reached(node.Core.Configuration, id => Holds(id, index, term.Value) ? 1 : 0).Equals(1))
        {
            throw new SimulationFailure("commit rule", $"member {node.Id} commits entry {index}, which no majority has on disk");
        }
    }

    private bool Holds(ulong id, ulong index, ulong term) => nodes.First(n => n.Id == id).Disk.Holds(index, term);
}

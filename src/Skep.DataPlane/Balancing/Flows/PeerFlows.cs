using Skep.DataPlane.Balancing.Hashing;

namespace Skep.DataPlane.Balancing.Flows;

/// <summary>
/// What the other workers remember. A network card or the kernel spreads a connection's two directions over workers each by its own
/// hash, so that a packet may come to a worker that does not know its flow: then the others are asked, each by one look at its table.
/// </summary>
internal sealed class PeerFlows
{
    /// <summary>What is found where nobody knows the flow.</summary>
    public const int Nobody = -1;
    private FlowTable[] _tables = [];
    private FlowTable[] _asked = [];

    /// <summary>The other workers' flows, in the order of the numbers that <see cref="Find"/> gives; set before the first packet.</summary>
    public IReadOnlyList<FlowTable> Tables
    {
        set => _asked = _tables = [.. value];
    }

    /// <summary>Whether the packets to come were handed over by a worker that has asked already: they go no further.</summary>
    public bool IsFinal
    {
        get;
        set => (field, _asked) = (value, value ? [] : _tables);
    }

    /// <summary>Which of the others seems to know a flow.</summary>
    public int Find(in FlowKey key, ulong hash)
    {
        FlowTable[] tables = _asked;
        for (int i = 0; i < tables.Length; i++)
        {
            if (tables[i].SeemsToHold(key, hash))
            {
                return i;
            }
        }
        return Nobody;
    }
}

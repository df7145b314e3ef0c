using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Balancing.Hashing;

/// <summary>
/// Maglev's consistent hashing (Eisenbud et al., NSDI 2016, 3.4): each backend has its own permutation of the table and they take
/// turns at filling it. Shares of equal backends differ by at most one entry, and few entries change hands when a backend leaves.
/// A backend of weight w takes w turns where the heaviest takes as many as it weighs, spread evenly over the rounds.
/// </summary>
internal sealed class MaglevTable
{
    private readonly ushort[] _entries;

    /// <summary>Fills a table.</summary>
    /// <param name="members">Who takes part: a number to find it by, a stable identity to hash, a weight of 1 or more.</param>
    /// <param name="size">Entries: a prime, well over a hundred times the members (the paper's rule for shares within 1 %).</param>
    public MaglevTable(IReadOnlyList<(ushort Slot, ulong Identity, int Weight)> members, int size)
    {
        Members = members;
        _entries = members.Count == 0 ? [] : Fill(members, size);
    }

    /// <summary>Who takes part.</summary>
    public IReadOnlyList<(ushort Slot, ulong Identity, int Weight)> Members { get; }

    /// <summary>Whether nobody takes part.</summary>
    public bool IsEmpty => _entries.Length == 0;

    /// <summary>What each entry holds.</summary>
    public ReadOnlySpan<ushort> Entries => _entries;

    /// <summary>Who takes a flow; the table must not be empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ushort Choose(ulong hash) => _entries[(int)Math.BigMul(hash, (ulong)_entries.Length, out _)];

    private static ushort[] Fill(IReadOnlyList<(ushort Slot, ulong Identity, int Weight)> members, int size)
    {
        // The order of turns must not depend on the order in which somebody listed the backends.
        var order = members.OrderBy(m => m.Identity).ToArray();
        int heaviest = order.Max(m => m.Weight);
        var entries = new ushort[size];
        var taken = new bool[size];
        var next = new long[order.Length];
        var skip = new long[order.Length];
        var credit = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            next[i] = (long)(Mix.Finish(order[i].Identity ^ 0x6A09E667F3BCC908) % (ulong)size);
            skip[i] = (long)(Mix.Finish(order[i].Identity ^ 0xBB67AE8584CAA73B) % (ulong)(size - 1)) + 1;
        }
        for (int filled = 0; ;)
        {
            for (int i = 0; i < order.Length; i++)
            {
                credit[i] += order[i].Weight;
                if (credit[i] < heaviest)
                {
                    continue;
                }
                credit[i] -= heaviest;
                while (taken[next[i]])
                {
                    next[i] = (next[i] + skip[i]) % size;
                }
                taken[next[i]] = true;
                entries[next[i]] = order[i].Slot;
                if (++filled == size)
                {
                    return entries;
                }
            }
        }
    }
}

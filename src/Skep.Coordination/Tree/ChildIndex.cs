namespace Skep.Coordination.Tree;

/// <summary>
/// From parent and name to node: open addressing, in 256 parts that grow one by one, so that no write waits for the whole to be
/// moved. The hash is seeded anew in each process: names chosen to collide do not.
/// </summary>
/// <param name="nodes">The nodes that the index speaks of.</param>
internal sealed class ChildIndex(NodePages nodes)
{
    private const int Parts = 256;

    // A slot is the hash in the upper half and the node's number in the lower one; 0 is empty.
    private readonly ulong[][] _slots = [.. Enumerable.Range(0, Parts).Select(_ => new ulong[8])];
    private readonly int[] _counts = new int[Parts];

    public int Find(int parent, ReadOnlySpan<byte> name)
    {
        uint hash = Hash(parent, name);
        ulong[] slots = _slots[hash % Parts];
        for (int i = Home(hash, slots); slots[i] != 0; i = (i + 1) & (slots.Length - 1))
        {
            int id = (int)slots[i];
            if ((uint)(slots[i] >> 32) == hash && nodes[id].Parent == parent && nodes[id].Name.Span.SequenceEqual(name))
            {
                return id;
            }
        }
        return 0;
    }

    public void Add(int id)
    {
        uint hash = Hash(nodes[id].Parent, nodes[id].Name.Span);
        uint part = hash % Parts;
        if (++_counts[part] * 4 > _slots[part].Length * 3)
        {
            Resize(part, _slots[part].Length * 2);
        }
        Place(_slots[part], ((ulong)hash << 32) | (uint)id);
    }

    public void Remove(int id)
    {
        uint hash = Hash(nodes[id].Parent, nodes[id].Name.Span);
        ulong[] slots = _slots[hash % Parts];
        int mask = slots.Length - 1;
        int hole = Home(hash, slots);
        while ((int)slots[hole] != id)
        {
            hole = (hole + 1) & mask;
        }
        // What lies behind moves up where it may, so that no search ends at the hole too early.
        for (int i = (hole + 1) & mask; slots[i] != 0; i = (i + 1) & mask)
        {
            int home = Home((uint)(slots[i] >> 32), slots);
            if (((i - home) & mask) >= ((i - hole) & mask))
            {
                slots[hole] = slots[i];
                hole = i;
            }
        }
        slots[hole] = 0;
        _counts[hash % Parts]--;
    }

    /// <summary>Makes room for so many nodes at once.</summary>
    public void Reserve(int count)
    {
        // Where the hash spreads them unevenly a part grows as it would otherwise.
        int slots = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(count / Parts * 3 / 2) + 1);
        for (uint part = 0; part < Parts; part++)
        {
            if (_slots[part].Length < slots)
            {
                Resize(part, slots);
            }
        }
    }

    private void Resize(uint part, int length)
    {
        ulong[] old = _slots[part];
        _slots[part] = new ulong[length];
        foreach (ulong slot in old)
        {
            if (slot != 0)
            {
                Place(_slots[part], slot);
            }
        }
    }

    private static void Place(ulong[] slots, ulong slot)
    {
        int i = Home((uint)(slot >> 32), slots);
        while (slots[i] != 0)
        {
            i = (i + 1) & (slots.Length - 1);
        }
        slots[i] = slot;
    }

    private static int Home(uint hash, ulong[] slots) => (int)(hash / Parts) & (slots.Length - 1);

    private static uint Hash(int parent, ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.Add(parent);
        hash.AddBytes(name);
        return (uint)hash.ToHashCode();
    }
}

using System.Runtime.CompilerServices;

namespace Skep.Sketches;

/// <summary>
/// The keys that heavy hitters are sought among: found by hash, and the one of the lowest count always at hand (a binary heap). Once it is
/// full, a newcomer takes the place of that one, and its key buffer too, so that nothing is allocated but for longer keys.
/// </summary>
internal sealed class HitterTable
{
    private readonly Entry[] entries;

    // Entry + 1, at the hash's place or the next free one behind it; 0 is free.
    private readonly int[] places;
    private readonly int[] heap;

    public HitterTable(int capacity)
    {
        entries = new Entry[capacity];
        heap = new int[capacity];
        places = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
    }

    public int Count { get; private set; }

    public bool IsFull => Count == entries.Length;

    /// <summary>The lowest count in the table; there must be one.</summary>
    public long Lowest => entries[heap[0]].Upper;

    /// <summary>The hash of the key with the lowest count.</summary>
    public ulong LowestHash => entries[heap[0]].Hash;

    public ReadOnlySpan<Entry> Entries => entries.AsSpan(0, Count);

    /// <summary>The entry's number, or −1.</summary>
    public int Find(ulong hash, ReadOnlySpan<byte> key)
    {
        int mask = places.Length - 1;
        for (int at = (int)hash & mask; places[at] != 0; at = (at + 1) & mask)
        {
            ref Entry entry = ref entries[places[at] - 1];
            if (entry.Hash == hash && entry.Key.SequenceEqual(key))
            {
                return places[at] - 1;
            }
        }
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Raise(int number, long count)
    {
        ref Entry entry = ref entries[number];
        entry.Upper += count;
        entry.Lower += count;
        Sink(entry.HeapAt);
    }

    /// <summary>Takes a key in, in the place of the lowest where the table is full.</summary>
    public void Insert(ulong hash, ReadOnlySpan<byte> key, long upper, long lower)
    {
        int number;
        if (IsFull)
        {
            number = heap[0];
            Forget(number);
        }
        else
        {
            number = Count++;
            heap[number] = number;
            entries[number].HeapAt = number;
        }
        ref Entry entry = ref entries[number];
        entry.Set(hash, key, upper, lower);
        int mask = places.Length - 1;
        int at = (int)hash & mask;
        while (places[at] != 0)
        {
            at = (at + 1) & mask;
        }
        places[at] = number + 1;
        Rise(entry.HeapAt);
        Sink(entry.HeapAt);
    }

    public void Clear()
    {
        Count = 0;
        Array.Clear(places);
    }

    private void Forget(int number)
    {
        int mask = places.Length - 1;
        int hole = (int)entries[number].Hash & mask;
        while (places[hole] != number + 1)
        {
            hole = (hole + 1) & mask;
        }

        // Whoever stands behind the hole and could have stood in it moves up, so that no search ends at it too soon.
        for (int at = (hole + 1) & mask; places[at] != 0; at = (at + 1) & mask)
        {
            int home = (int)entries[places[at] - 1].Hash & mask;
            if (((at - home) & mask) >= ((at - hole) & mask))
            {
                places[hole] = places[at];
                hole = at;
            }
        }
        places[hole] = 0;
    }

    private void Rise(int at)
    {
        while (at > 0 && entries[heap[at]].Upper < entries[heap[(at - 1) / 2]].Upper)
        {
            Swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    private void Sink(int at)
    {
        while (true)
        {
            int child = (2 * at) + 1;
            if (child >= Count)
            {
                return;
            }
            if (child + 1 < Count && entries[heap[child + 1]].Upper < entries[heap[child]].Upper)
            {
                child++;
            }
            if (entries[heap[child]].Upper >= entries[heap[at]].Upper)
            {
                return;
            }
            Swap(at, child);
            at = child;
        }
    }

    private void Swap(int a, int b)
    {
        (heap[a], heap[b]) = (heap[b], heap[a]);
        entries[heap[a]].HeapAt = a;
        entries[heap[b]].HeapAt = b;
    }

    internal struct Entry
    {
        public ulong Hash;
        public long Upper;
        public long Lower;
        public int HeapAt;
        private int length;
        private byte[]? bytes;

        public readonly ReadOnlySpan<byte> Key => bytes.AsSpan(0, length);

        public void Set(ulong hash, ReadOnlySpan<byte> key, long upper, long lower)
        {
            if (bytes is null || bytes.Length < key.Length)
            {
                bytes = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, key.Length))];
            }
            key.CopyTo(bytes);
            (Hash, length, Upper, Lower) = (hash, key.Length, upper, lower);
        }
    }
}

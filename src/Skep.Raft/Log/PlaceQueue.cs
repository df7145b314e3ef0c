namespace Skep.Raft.Log;

/// <summary>Where an entry lies.</summary>
internal readonly record struct Place(ulong Term, Segment Segment, long OffsetBytes, int LengthBytes);

/// <summary>
/// The places of entries that follow each other, taken off at both ends. In blocks: with millions of entries nobody waits while one
/// long array is copied to a longer one.
/// </summary>
internal sealed class PlaceQueue
{
    private const int BlockSize = 4096;

    private readonly List<Place[]> _blocks = [];
    private int _begin;

    public int Count { get; private set; }

    public ref readonly Place this[int i] => ref Slot(i);

    public void Add(in Place place)
    {
        if (_begin + Count == _blocks.Count * BlockSize)
        {
            _blocks.Add(new Place[BlockSize]);
        }

        Count++;
        Slot(Count - 1) = place;
    }

    public void RemoveFirst(int count)
    {
        Count -= count;
        _begin += count;
        _blocks.RemoveRange(0, _begin / BlockSize);
        _begin %= BlockSize;
    }

    /// <summary>Keeps so many of the first.</summary>
    public void Keep(int count)
    {
        Count = count;
        var blocks = (_begin + count + BlockSize - 1) / BlockSize;
        _blocks.RemoveRange(blocks, _blocks.Count - blocks);
    }

    private ref Place Slot(int i) => ref _blocks[(_begin + i) / BlockSize][(_begin + i) % BlockSize];
}

namespace Skep.Raft.Consensus;

/// <summary>The messages with entries that a follower has not answered yet, bounded in number and bytes.</summary>
internal sealed class InFlight(int maxMessages, long maxBytes)
{
    private readonly Queue<(ulong LastIndex, long SizeBytes)> _messages = new();
    private long _sizeBytes;

    public int Count => _messages.Count;

    /// <summary>One message goes out whatever its size.</summary>
    public bool IsFull => _messages.Count >= maxMessages || _sizeBytes >= maxBytes;

    public void Add(ulong lastIndex, long sizeBytes)
    {
        _messages.Enqueue((lastIndex, sizeBytes));
        _sizeBytes += sizeBytes;
    }

    public void FreeUpTo(ulong index)
    {
        while (_messages.TryPeek(out var first) && first.LastIndex <= index)
        {
            _sizeBytes -= first.SizeBytes;
            _messages.Dequeue();
        }
    }

    public void Clear()
    {
        _messages.Clear();
        _sizeBytes = 0;
    }
}

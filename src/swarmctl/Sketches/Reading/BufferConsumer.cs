namespace Swarmctl.Sketches.Reading;

/// <summary>What one worker does with the lines it is given. Not shared between workers.</summary>
internal abstract class BufferConsumer
{
    /// <summary>How many lines it took.</summary>
    public long Lines { get; protected set; }

    /// <summary>How many of them had no key: no such field, or a key that is too long.</summary>
    public long Without { get; protected set; }

    /// <summary>Takes all whole lines and returns how many bytes those were; what is left is the beginning of a line.</summary>
    public abstract int TakeLines(ReadOnlySpan<byte> buffer);

    /// <summary>Takes one line, without the newline at its end.</summary>
    public abstract void TakeLine(ReadOnlySpan<byte> line);
}

/// <summary>Where a line's key stands.</summary>
internal interface IField
{
    bool TryRead(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> key);
}

/// <summary>What becomes of a key; false where it cannot be taken.</summary>
internal interface IKeySink
{
    bool TryTake(ReadOnlySpan<byte> key);
}

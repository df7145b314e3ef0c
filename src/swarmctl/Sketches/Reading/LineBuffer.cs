namespace Swarmctl.Sketches.Reading;

/// <summary>Memory for what was read and not yet taken: small, so that it stays in the processor's cache, larger only for a long line.</summary>
internal sealed class LineBuffer
{
    public const int FirstBytes = 128 * 1024;

    /// <summary>The longest line.</summary>
    public const int MaxBytes = 1024 * 1024;

    private byte[] bytes = new byte[FirstBytes];

    /// <summary>How much is held, from the beginning.</summary>
    public int Held { get; private set; }

    public ReadOnlySpan<byte> Content => bytes.AsSpan(0, Held);

    /// <summary>Where the next bytes go; never empty.</summary>
    public Span<byte> Free
    {
        get
        {
            if (Held == bytes.Length)
            {
                if (Held == MaxBytes)
                {
                    throw new UserException($"a line is longer than {MaxBytes} bytes: is this a file of lines?");
                }
                Array.Resize(ref bytes, bytes.Length * 2);
            }
            return bytes.AsSpan(Held);
        }
    }

    public void Filled(int count) => Held += count;

    /// <summary>Adds bytes behind those held.</summary>
    public void Append(ReadOnlySpan<byte> more)
    {
        while (more.Length > 0)
        {
            Span<byte> free = Free;
            int part = Math.Min(free.Length, more.Length);
            more[..part].CopyTo(free);
            Held += part;
            more = more[part..];
        }
    }

    /// <summary>Keeps only the first so many bytes.</summary>
    public void Cut(int count) => Held = count;

    /// <summary>Keeps only what stands behind the first so many bytes.</summary>
    public void Drop(int count)
    {
        bytes.AsSpan(count, Held - count).CopyTo(bytes);
        Held -= count;
    }
}

using System.Buffers.Binary;

namespace Skep.Sketches;

/// <summary>Reads a payload from its beginning, and never past its end.</summary>
internal ref struct PayloadReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> left = payload;

    public readonly int LeftBytes => left.Length;

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Take(int bytes)
    {
        if ((uint)bytes > (uint)left.Length)
        {
            throw new SketchFormatException("the payload ends too soon");
        }
        ReadOnlySpan<byte> taken = left[..bytes];
        left = left[bytes..];
        return taken;
    }

    public readonly void ExpectEnd()
    {
        if (left.Length > 0)
        {
            throw new SketchFormatException($"{left.Length} bytes too many behind the payload");
        }
    }
}

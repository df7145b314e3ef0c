using System.Buffers;
using System.Text;

namespace Skep.Sketches;

/// <summary>A text as the key that its UTF-8 bytes are, for as long as it is not disposed.</summary>
internal readonly ref struct TextKey
{
    private readonly byte[] rented;

    public TextKey(string text)
    {
        ArgumentNullException.ThrowIfNull(text, "key");
        rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        Bytes = rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented));
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public void Dispose() => ArrayPool<byte>.Shared.Return(rented);
}

using System.Buffers.Binary;

namespace Skep.Raft.Transport;

/// <summary>Frames of a stream: a length, the group, and what is for the group.</summary>
internal static class Frames
{
    public const int HeadSizeBytes = 4 + 8;

    /// <summary>One entry of the greatest size goes alone, and has this much around it at most.</summary>
    public const int MaxSizeBytes = Log.LogFormat.MaxPayloadSizeBytes + (1024 * 1024);

    public static void WriteHead(Span<byte> head, ulong group, int payloadSizeBytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(head, payloadSizeBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(head[4..], group);
    }

    /// <exception cref="InvalidDataException">The length in a frame's head is none.</exception>
    public static int CheckedLength(ReadOnlySpan<byte> head)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        return length is >= 0 and <= MaxSizeBytes ? length : throw new InvalidDataException($"a peer's frame claims {length} bytes; at most {MaxSizeBytes} are sent");
    }

    /// <summary>Reads the next frame into memory of its own.</summary>
    /// <returns>null where the stream ends between two frames.</returns>
    /// <exception cref="InvalidDataException">The length is none.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within a frame.</exception>
    public static async ValueTask<(ulong Group, byte[] Payload)?> ReadAsync(Stream stream, byte[] head, CancellationToken ct)
    {
        var read = await stream.ReadAtLeastAsync(head.AsMemory(0, HeadSizeBytes), HeadSizeBytes, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        if (read == 0)
        {
            return null;
        }

        if (read < HeadSizeBytes)
        {
            throw new EndOfStreamException("a peer's stream ends within a frame");
        }

        var payload = GC.AllocateUninitializedArray<byte>(CheckedLength(head));
        await stream.ReadExactlyAsync(payload, ct).ConfigureAwait(false);
        return (BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(4)), payload);
    }
}

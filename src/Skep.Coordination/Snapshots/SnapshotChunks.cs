using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Skep.Jute;

namespace Skep.Coordination.Snapshots;

/// <summary>
/// Format 1: the bytes "SKEPZNOD" and the number of the format; chunks, each with its length and whole records in it; the length 0;
/// SHA-256 of all before it. Numbers are big-endian, records jute's.
/// </summary>
internal static class SnapshotChunks
{
    public const int ChunkBytes = 256 * 1024;
    public const int MaxChunkBytes = 64 * 1024 * 1024;
    private static readonly byte[] Head = [.. "SKEPZNOD"u8, 0, 0, 0, 1];

    /// <summary>Writes chunks as <paramref name="fill"/> fills them, until it says that nothing is left.</summary>
    public static void Write(Stream output, Func<ArrayBufferWriter<byte>, bool> fill)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Put(Head);
        var chunk = new ArrayBufferWriter<byte>(ChunkBytes * 2);
        Span<byte> length = stackalloc byte[4];
        bool more = true;
        while (more)
        {
            chunk.ResetWrittenCount();
            more = fill(chunk);
            BinaryPrimitives.WriteInt32BigEndian(length, chunk.WrittenCount);
            if (chunk.WrittenCount > 0)
            {
                Put(length);
                Put(chunk.WrittenSpan);
            }
        }
        length.Clear();
        Put(length);
        output.Write(hash.GetHashAndReset());

        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            output.Write(bytes);
        }
    }

    /// <summary>Reads the chunks one by one, each into the memory of the one before. What they hold is to be believed only when the end was reached: there is the checksum.</summary>
    /// <exception cref="SnapshotFormatException">No snapshot, one of another format, one cut short, or one damaged.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(Stream input)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[ChunkBytes * 2];
        if (!Take(Head.Length).Span.SequenceEqual(Head))
        {
            throw new SnapshotFormatException("this is no snapshot of format 1: it does not begin with SKEPZNOD and the number 1");
        }
        for (int length = Length(); length != 0; length = Length())
        {
            yield return Take(length);
        }
        byte[] expected = hash.GetHashAndReset();
        byte[] found = new byte[expected.Length];
        if (input.ReadAtLeast(found, found.Length, throwOnEndOfStream: false) < found.Length || !found.AsSpan().SequenceEqual(expected))
        {
            throw new SnapshotFormatException("the snapshot's checksum is not that of its content: it was damaged or cut short");
        }

        int Length()
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(Take(4).Span);
            return length is >= 0 and <= MaxChunkBytes ? length
                : throw new SnapshotFormatException($"a chunk of the snapshot says it has {length} bytes; at most {MaxChunkBytes} are taken");
        }

        ReadOnlyMemory<byte> Take(int count)
        {
            if (buffer.Length < count)
            {
                buffer = new byte[count];
            }
            Memory<byte> bytes = buffer.AsMemory(0, count);
            if (input.ReadAtLeast(bytes.Span, count, throwOnEndOfStream: false) < count)
            {
                throw new SnapshotFormatException("the snapshot ends before its end mark: it was cut short");
            }
            hash.AppendData(bytes.Span);
            return bytes;
        }
    }
}

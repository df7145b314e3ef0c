using System.Buffers;
using System.Buffers.Binary;

namespace Skep.Jute;

/// <summary>Frames on a connection: four bytes of length, then so many bytes.</summary>
public static class JuteFrame
{
    /// <summary>The default of ZooKeeper's <c>jute.maxbuffer</c>, in bytes.</summary>
    public const int DefaultMaxBytes = 0xfffff;

    /// <summary>Cuts the next frame off the bytes received. Nothing is copied or allocated.</summary>
    /// <param name="received">What was received; moved past the frame when there is one.</param>
    /// <param name="maxBytes">The longest frame that is taken (<c>jute.maxbuffer</c>).</param>
    /// <param name="frame">The frame without its length.</param>
    /// <returns>False as long as the frame is not whole.</returns>
    /// <exception cref="JuteFormatException">The length is negative or above <paramref name="maxBytes"/>: known before the frame is received.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> received, int maxBytes, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        if (received.Length < 4)
        {
            return false;
        }
        Span<byte> prefix = stackalloc byte[4];
        received.Slice(0, 4).CopyTo(prefix);
        int length = BinaryPrimitives.ReadInt32BigEndian(prefix);
        if (length < 0 || length > maxBytes)
        {
            throw new JuteFormatException($"a frame says it has {length} bytes; 0 to {maxBytes} are taken (jute.maxbuffer)");
        }
        if (received.Length - 4 < length)
        {
            return false;
        }
        frame = received.Slice(4, length);
        received = received.Slice(frame.End);
        return true;
    }

    /// <summary>Makes a frame, length included, of the records that <paramref name="write"/> writes.</summary>
    public static byte[] Make(Action<IBufferWriter<byte>> write)
    {
        var body = new ArrayBufferWriter<byte>();
        body.GetSpan(4)[..4].Clear();
        body.Advance(4);
        write(body);
        byte[] frame = body.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        return frame;
    }

    /// <summary>Writes one record.</summary>
    public static void Put<T>(IBufferWriter<byte> output, T record) where T : IJuteRecord<T>
    {
        var writer = new JuteWriter(output);
        record.Write(ref writer);
    }
}

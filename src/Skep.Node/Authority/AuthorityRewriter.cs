using System.Buffers;
using System.Buffers.Binary;

namespace Skep.Node.Authority;

/// <summary>
/// Rewrites what a client sends on the control socket. SwarmKit's own clients put the path of the socket into
/// <c>:authority</c>, which HTTP/2 servers rightly refuse; the path is replaced by a name before the server sees it. Frames
/// other than HEADERS and CONTINUATION go through untouched. Bytes in, bytes out, no I/O; memory is bounded by one header block.
/// </summary>
internal sealed class AuthorityRewriter
{
    /// <summary>The largest frame that a client may send before it is allowed larger ones, which it never is (RFC 9113, 6.5.2).</summary>
    public const int MaxFrameBytes = 16384;

    /// <summary>The largest header block, over all of its CONTINUATION frames.</summary>
    public const int MaxBlockBytes = 64 * 1024;

    private const int FrameHeaderBytes = 9;
    private const byte HeadersFrame = 1;
    private const byte ContinuationFrame = 9;
    private const byte EndStreamFlag = 0x1;
    private const byte EndHeadersFlag = 0x4;
    private const byte PaddedFlag = 0x8;
    private const byte PriorityFlag = 0x20;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private static readonly byte[] Authority = "localhost"u8.ToArray();

    private readonly ArrayBufferWriter<byte> block = new();
    private readonly ArrayBufferWriter<byte> rewritten = new();
    private int prefaceLeft = Preface.Length;
    private int passLeft;
    private int blockStream;
    private byte blockFlags;

    /// <summary>Takes what can be taken of the input and writes what the server shall see.</summary>
    /// <returns>How many bytes of the input were used; the rest is to come again with more behind it.</returns>
    /// <exception cref="AuthorityException">The connection must end.</exception>
    public long Rewrite(ReadOnlySequence<byte> input, IBufferWriter<byte> output)
    {
        var reader = new SequenceReader<byte>(input);
        Span<byte> header = stackalloc byte[FrameHeaderBytes];
        while (!reader.End)
        {
            if (prefaceLeft > 0)
            {
                PassPreface(ref reader, output);
                continue;
            }
            if (passLeft > 0)
            {
                Pass(ref reader, output);
                continue;
            }
            if (reader.Remaining < FrameHeaderBytes)
            {
                break;
            }
            reader.UnreadSequence.Slice(0, FrameHeaderBytes).CopyTo(header);
            int length = (header[0] << 16) | (header[1] << 8) | header[2];
            if (length > MaxFrameBytes)
            {
                throw new AuthorityException($"a frame of {length} bytes is over the limit of {MaxFrameBytes}");
            }
            byte type = header[3];
            if (blockStream != 0 && type != ContinuationFrame)
            {
                throw new AuthorityException("a frame stands between the parts of a header block");
            }
            if (type is not (HeadersFrame or ContinuationFrame))
            {
                output.Write(header);
                reader.Advance(FrameHeaderBytes);
                passLeft = length;
                continue;
            }
            if (reader.Remaining < FrameHeaderBytes + length)
            {
                break;
            }
            byte[] payload = ArrayPool<byte>.Shared.Rent(MaxFrameBytes);
            try
            {
                reader.UnreadSequence.Slice(FrameHeaderBytes, length).CopyTo(payload);
                reader.Advance(FrameHeaderBytes + length);
                TakeHeaders(type, header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]) & int.MaxValue, payload.AsSpan(0, length), output);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(payload);
            }
        }
        return reader.Consumed;
    }

    private void PassPreface(ref SequenceReader<byte> reader, IBufferWriter<byte> output)
    {
        while (prefaceLeft > 0 && reader.TryRead(out byte b))
        {
            if (b != Preface[^prefaceLeft])
            {
                throw new AuthorityException("the connection does not begin as HTTP/2 does");
            }
            output.Write([b]);
            prefaceLeft--;
        }
    }

    private void Pass(ref SequenceReader<byte> reader, IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> part = reader.UnreadSpan;
        part = part[..Math.Min(part.Length, passLeft)];
        output.Write(part);
        reader.Advance(part.Length);
        passLeft -= part.Length;
    }

    private void TakeHeaders(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, IBufferWriter<byte> output)
    {
        if (type == ContinuationFrame)
        {
            if (blockStream == 0 || stream != blockStream)
            {
                throw new AuthorityException("a CONTINUATION frame continues nothing");
            }
        }
        else
        {
            if (stream == 0)
            {
                throw new AuthorityException("a HEADERS frame has no stream");
            }
            payload = StripPaddingAndPriority(payload, flags);
            blockStream = stream;
            blockFlags = (byte)(flags & EndStreamFlag);
            block.ResetWrittenCount();
        }
        if (block.WrittenCount + payload.Length > MaxBlockBytes)
        {
            throw new AuthorityException($"a header block is over the limit of {MaxBlockBytes} bytes");
        }
        block.Write(payload);
        if ((flags & EndHeadersFlag) == 0)
        {
            return;
        }
        rewritten.ResetWrittenCount();
        HeaderBlock.Rewrite(block.WrittenSpan, Authority, rewritten);
        WriteFrames(output);
        blockStream = 0;
    }

    private static ReadOnlySpan<byte> StripPaddingAndPriority(ReadOnlySpan<byte> payload, byte flags)
    {
        int before = ((flags & PaddedFlag) != 0 ? 1 : 0) + ((flags & PriorityFlag) != 0 ? 5 : 0);
        int behind = (flags & PaddedFlag) != 0 && payload.Length > 0 ? payload[0] : 0;
        if (before + behind > payload.Length)
        {
            throw new AuthorityException("a HEADERS frame is shorter than its padding and priority");
        }
        return payload[before..^behind];
    }

    private void WriteFrames(IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> rest = rewritten.WrittenSpan;
        byte type = HeadersFrame;
        do
        {
            ReadOnlySpan<byte> part = rest[..Math.Min(rest.Length, MaxFrameBytes)];
            rest = rest[part.Length..];
            Span<byte> header = output.GetSpan(FrameHeaderBytes);
            header[0] = (byte)(part.Length >> 16);
            header[1] = (byte)(part.Length >> 8);
            header[2] = (byte)part.Length;
            header[3] = type;
            header[4] = (byte)((type == HeadersFrame ? blockFlags : 0) | (rest.IsEmpty ? EndHeadersFlag : 0));
            BinaryPrimitives.WriteInt32BigEndian(header[5..], blockStream);
            output.Advance(FrameHeaderBytes);
            output.Write(part);
            type = ContinuationFrame;
        }
        while (!rest.IsEmpty);
    }
}

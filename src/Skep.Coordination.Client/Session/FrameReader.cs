using System.Buffers.Binary;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>
/// Cuts a stream into frames. Each frame has memory of its own, so that results may be slices of it for as long as the caller likes;
/// what is long is received right into it.
/// </summary>
internal sealed class FrameReader(Stream stream, int maxBytes)
{
    private readonly byte[] _ahead = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <exception cref="EndOfStreamException">The server has closed the connection.</exception>
    /// <exception cref="JuteFormatException">The frame's length cannot be.</exception>
    public async ValueTask<byte[]> ReadAsync(CancellationToken ct)
    {
        while (_end - _start < 4)
        {
            await FillAsync(ct);
        }
        int length = BinaryPrimitives.ReadInt32BigEndian(_ahead.AsSpan(_start));
        if (length < 0 || length > maxBytes)
        {
            throw new JuteFormatException($"a frame says it has {length} bytes; 0 to {maxBytes} are taken ({nameof(CoordinationClientOptions.MaxFrameBytes)})");
        }
        _start += 4;
        byte[] frame = GC.AllocateUninitializedArray<byte>(length);
        int there = Math.Min(length, _end - _start);
        _ahead.AsSpan(_start, there).CopyTo(frame);
        _start += there;
        if (there < length)
        {
            await stream.ReadExactlyAsync(frame.AsMemory(there), ct);
        }
        return frame;
    }

    private async ValueTask FillAsync(CancellationToken ct)
    {
        _ahead.AsSpan(_start, _end - _start).CopyTo(_ahead);
        _end -= _start;
        _start = 0;
        int received = await stream.ReadAsync(_ahead.AsMemory(_end), ct);
        _end += received > 0 ? received : throw new EndOfStreamException("the server closed the connection");
    }
}

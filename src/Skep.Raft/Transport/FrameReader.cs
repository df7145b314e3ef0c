using System.Buffers.Binary;

namespace Skep.Raft.Transport;

/// <summary>Takes frames from a stream that brings many: a read takes in all that has come.</summary>
internal sealed class FrameReader(Stream stream)
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(64 * 1024);
    private int _begin;
    private int _end;

    /// <summary>Whether more of the stream was read than has been given out.</summary>
    public bool HasMore => _end > _begin;

    /// <summary>Reads the next frame into memory of its own.</summary>
    /// <returns>null where the stream ends between two frames.</returns>
    /// <exception cref="InvalidDataException">The length is none.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within a frame.</exception>
    public async ValueTask<(ulong Group, byte[] Payload)?> ReadAsync(CancellationToken ct)
    {
        while (_end - _begin < Frames.HeadSizeBytes)
        {
            _buffer.AsSpan(_begin.._end).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), ct).ConfigureAwait(false);
            if (read == 0)
            {
                return _end == 0 ? null : throw new EndOfStreamException("a peer's stream ends within a frame");
            }

            _end += read;
        }

        var (group, payload) = TakeHead();
        var here = Math.Min(payload.Length, _end - _begin);
        _buffer.AsSpan(_begin, here).CopyTo(payload);
        _begin += here;
        await stream.ReadExactlyAsync(payload.AsMemory(here), ct).ConfigureAwait(false);
        return (group, payload);
    }

    private (ulong Group, byte[] Payload) TakeHead()
    {
        var head = _buffer.AsSpan(_begin, Frames.HeadSizeBytes);
        _begin += Frames.HeadSizeBytes;
        return (BinaryPrimitives.ReadUInt64LittleEndian(head[4..]), GC.AllocateUninitializedArray<byte>(Frames.CheckedLength(head)));
    }
}

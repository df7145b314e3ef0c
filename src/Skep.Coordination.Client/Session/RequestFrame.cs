using System.Buffers;
using System.Buffers.Binary;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>A request's bytes, length included, made on the caller's thread; only its number is filled in when it is sent.</summary>
internal sealed class RequestFrame : IBufferWriter<byte>
{
    private byte[] _bytes;
    private int _length = 4;

    private RequestFrame(int roomBytes) => _bytes = new byte[roomBytes];

    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _length);

    public static RequestFrame Make<T>(OpCode op, T body, int roomBytes = 128) where T : IJuteRecord<T>
    {
        var frame = Make(op, roomBytes);
        JuteFrame.Put(frame, body);
        frame.WriteLength();
        return frame;
    }

    public static RequestFrame Make(OpCode op, int roomBytes = 12)
    {
        var frame = new RequestFrame(roomBytes);
        JuteFrame.Put(frame, new RequestHeader(0, (int)op));
        frame.WriteLength();
        return frame;
    }

    public void SetXid(int xid) => BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(4), xid);

    /// <summary>Turns the last byte, a read's watch flag, off.</summary>
    public void ClearWatchFlag() => _bytes[_length - 1] = 0;

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int needed = checked(_length + Math.Max(sizeHint, 1));
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
        }
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void WriteLength() => BinaryPrimitives.WriteInt32BigEndian(_bytes, _length - 4);
}

using System.Buffers.Binary;
using System.Text;

namespace Skep.Supervisor.Protocol;

/// <summary>
/// Bounds and numbers of the protocol between agent and supervisor. A frame is a little-endian u32 length of
/// what follows, a kind (u8), a request id (u32, echoed in the reply, 0 in what nobody asked for) and a payload.
/// </summary>
internal static class Wire
{
    public const uint Magic = 0x50454B53; // "SKEP"
    public const ushort Version = 1;

    /// <summary>Bytes of kind and request id, the least a frame's length may say.</summary>
    public const int HeadBytes = 5;

    /// <summary>Bytes of the length itself.</summary>
    public const int LengthBytes = 4;

    /// <summary>The most a frame's length may say; a longer one closes the connection.</summary>
    public const int MaxFrameBytes = 8 * 1024 * 1024;

    /// <summary>The most a list may say it holds.</summary>
    public const int MaxListItems = 65_536;
}

/// <summary>What a frame is: below 64 from the agent, from 64 on from the supervisor.</summary>
internal enum FrameKind : byte
{
    Hello = 1,
    Start = 2,
    Stop = 3,
    Remove = 4,
    Logs = 5,

    Welcome = 64,
    TaskState = 65,
    SnapshotEnd = 66,
    Reply = 67,
    LogRecord = 68,
    LogEnd = 69,
}

/// <summary>How a request ended.</summary>
internal enum ReplyCode : byte
{
    Ok = 0,
    BadRequest = 1,
    NotFound = 2,
    AlreadyExists = 3,
    StartFailed = 4,
    Unsupported = 5,
}

/// <summary>Bytes that are no frame of this protocol: the connection they came from is closed.</summary>
internal sealed class WireException(string message) : Exception(message);

/// <summary>Appends fields to a frame under construction.</summary>
internal sealed class WireWriter
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Starts a frame; <see cref="EndFrame"/> with the same position fills its length in.</summary>
    public int BeginFrame(FrameKind kind, uint requestId)
    {
        var start = Length;
        U32(0);
        U8((byte)kind);
        U32(requestId);
        return start;
    }

    public void EndFrame(int start) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(start), (uint)(Length - start - Wire.LengthBytes));

    public void Clear() => Length = 0;

    public byte[] ToArray() => Written.ToArray();

    public void U8(byte value) => Take(1)[0] = value;

    public void Flag(bool value) => U8(value ? (byte)1 : (byte)0);

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void I32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void I64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> value)
    {
        I32(value.Length);
        value.CopyTo(Take(value.Length));
    }

    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        I32(count);
        Encoding.UTF8.GetBytes(value, Take(count));
    }

    public void List<T>(IReadOnlyList<T> items, Action<WireWriter, T> write)
    {
        I32(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            write(this, items[i]);
        }
    }

    public void Texts(IReadOnlyList<string> items) => List(items, static (w, text) => w.Text(text));

    private Span<byte> Take(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }
        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }
}

/// <summary>Reads the fields of one payload; throws <see cref="WireException"/> where they end too soon.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte U8() => Take(1)[0];

    public bool Flag() => U8() switch
    {
        0 => false,
        1 => true,
        var other => throw new WireException($"a flag is 0 or 1, not {other}"),
    };

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int I32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long I64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Bytes() => Take(I32());

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public delegate T ReadItem<T>(ref WireReader reader);

    public T[] List<T>(ReadItem<T> read)
    {
        var count = I32();
        // Each item has at least a byte, so a count beyond what is left is garbage and allocates nothing.
        if (count < 0 || count > Wire.MaxListItems || count > _rest.Length)
        {
            throw new WireException($"a list of {count} items does not fit its frame");
        }
        var items = new T[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = read(ref this);
        }
        return items;
    }

    public string[] Texts() => List(static (ref WireReader r) => r.Text());

    public readonly void End()
    {
        if (!_rest.IsEmpty)
        {
            throw new WireException($"{_rest.Length} bytes too many in a frame");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw new WireException($"a field of {count} bytes where {_rest.Length} are left");
        }
        var span = _rest[..count];
        _rest = _rest[count..];
        return span;
    }
}

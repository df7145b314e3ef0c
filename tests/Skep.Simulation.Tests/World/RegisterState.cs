using System.Buffers.Binary;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>The state machine: some registers, and a digest of all that led to them.</summary>
internal sealed class RegisterState : NodeState
{
    public const int Keys = 3;

    /// <summary>A register that no client touches.</summary>
    public const int SpareKey = Keys;
    public const int CommandSizeBytes = 12;

    private readonly int[] _values = new int[Keys + 1];

    public int this[int key] => _values[key];

    public static byte[] Put(int key, int value, int padding)
    {
        var command = new byte[CommandSizeBytes + padding];
        BinaryPrimitives.WriteInt32LittleEndian(command, key);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4), value);
        return command;
    }

    public override void Apply(in LogRecord entry)
    {
        base.Apply(entry);
        if (entry.Type == RecordType.Command)
        {
            var command = entry.Payload.Span;
            var (key, value) = (BinaryPrimitives.ReadInt32LittleEndian(command), BinaryPrimitives.ReadInt32LittleEndian(command[4..]));
            _values[key] = value;
            Mix((uint)value);
        }
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[sizeof(ulong) + ((Keys + 1) * sizeof(int))];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Digest);
        for (var i = 0; i <= Keys; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(sizeof(ulong) + (i * sizeof(int))), _values[i]);
        }

        return bytes;
    }

    public static RegisterState FromBytes(ReadOnlySpan<byte> bytes)
    {
        var state = new RegisterState { Digest = BinaryPrimitives.ReadUInt64LittleEndian(bytes) };
        for (var i = 0; i <= Keys; i++)
        {
            state._values[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(sizeof(ulong) + (i * sizeof(int)))..]);
        }

        return state;
    }

    public override NodeState Clone()
    {
        var copy = new RegisterState { Digest = Digest };
        _values.CopyTo(copy._values, 0);
        return copy;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Skep.Jute;

/// <summary>Writes jute's primitive types straight into a buffer writer.</summary>
/// <param name="output">Where the bytes go.</param>
public readonly ref struct JuteWriter(IBufferWriter<byte> output)
{
    /// <summary>Writes a 32-bit number.</summary>
    public void WriteInt(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    /// <summary>Writes a 64-bit number.</summary>
    public void WriteLong(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    /// <summary>Writes a truth value as one byte.</summary>
    public void WriteBool(bool value)
    {
        output.GetSpan(1)[0] = value ? (byte)1 : (byte)0;
        output.Advance(1);
    }

    /// <summary>Writes a buffer with its length; null has the length -1.</summary>
    public void WriteBuffer(ReadOnlyMemory<byte>? value)
    {
        WriteInt(value?.Length ?? -1);
        output.Write(value.GetValueOrDefault().Span);
    }

    /// <summary>Writes a string as UTF-8 with its length.</summary>
    public void WriteString(string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        WriteInt(length);
        Encoding.UTF8.GetBytes(value, output.GetSpan(length));
        output.Advance(length);
    }

    /// <summary>Writes a vector of strings.</summary>
    public void WriteStrings(IReadOnlyList<string> values)
    {
        WriteInt(values.Count);
        for (int i = 0; i < values.Count; i++)
        {
            WriteString(values[i]);
        }
    }

    /// <summary>Writes a vector of records.</summary>
    public void WriteRecords<T>(IReadOnlyList<T> values) where T : IJuteRecord<T>
    {
        WriteInt(values.Count);
        JuteWriter self = this;
        for (int i = 0; i < values.Count; i++)
        {
            values[i].Write(ref self);
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Skep.Jute;

/// <summary>
/// Reads jute's primitive types from one frame. Buffers are slices of the frame; only strings are made anew.
/// Nothing is allocated for a length before the bytes for it are seen to be there.
/// </summary>
public ref struct JuteReader
{
    private readonly ReadOnlyMemory<byte> _frame;
    private readonly ReadOnlySpan<byte> _span;
    private int _at;

    /// <param name="frame">The frame without its length.</param>
    public JuteReader(ReadOnlyMemory<byte> frame)
    {
        _frame = frame;
        _span = frame.Span;
    }

    /// <param name="frame">The frame without its length. One that lies in several segments is copied together once.</param>
    public JuteReader(in ReadOnlySequence<byte> frame) : this(frame.IsSingleSegment ? frame.First : frame.ToArray()) { }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _span.Length - _at;

    /// <summary>Reads a 32-bit number.</summary>
    public int ReadInt() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    /// <summary>Reads a 64-bit number.</summary>
    public long ReadLong() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    /// <summary>Reads a truth value; any byte but 0 is true, as in Java.</summary>
    public bool ReadBool() => Take(1)[0] != 0;

    /// <summary>Reads a buffer as a slice of the frame; length -1 is null.</summary>
    public ReadOnlyMemory<byte>? ReadBuffer()
    {
        int length = ReadLength("buffer");
        if (length < 0)
        {
            return null;
        }
        Take(length);
        return _frame.Slice(_at - length, length);
    }

    /// <summary>Reads a string; null (length -1) reads as empty. Bytes that are not UTF-8 become U+FFFD, which no path may hold.</summary>
    public string ReadString()
    {
        int length = ReadLength("string");
        return length <= 0 ? "" : Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>Reads a string that has to be there.</summary>
    public string ReadRequiredString()
    {
        int length = ReadLength("string");
        return length >= 0 ? Encoding.UTF8.GetString(Take(length)) : throw new JuteFormatException("a string is null (length -1); it has to be there");
    }

    /// <summary>Reads a vector of strings that has to be there, each of them too.</summary>
    public string[] ReadRequiredStrings()
    {
        int count = ReadInt();
        if (count < 0 || count > Remaining / 4)
        {
            throw new JuteFormatException($"a vector says it has {count} elements, but only {Remaining} bytes follow in the frame");
        }
        var strings = new string[count];
        for (int i = 0; i < count; i++)
        {
            strings[i] = ReadRequiredString();
        }
        return strings;
    }

    /// <summary>Reads the number of a vector's elements; null (-1) reads as none.</summary>
    /// <param name="leastElementBytes">The fewest bytes that an element has: a count that cannot fit in the frame is refused.</param>
    public int ReadCount(int leastElementBytes)
    {
        int count = ReadLength("vector");
        if (count > Remaining / leastElementBytes)
        {
            throw new JuteFormatException($"a vector says it has {count} elements, but only {Remaining} bytes follow in the frame");
        }
        return Math.Max(count, 0);
    }

    /// <summary>Reads a vector of strings.</summary>
    public string[] ReadStrings()
    {
        var strings = new string[ReadCount(4)];
        for (int i = 0; i < strings.Length; i++)
        {
            strings[i] = ReadString();
        }
        return strings;
    }

    /// <summary>Reads a vector of records.</summary>
    /// <param name="leastElementBytes">The fewest bytes that a record of this kind has.</param>
    public T[] ReadRecords<T>(int leastElementBytes) where T : IJuteRecord<T>
    {
        var records = new T[ReadCount(leastElementBytes)];
        for (int i = 0; i < records.Length; i++)
        {
            records[i] = T.Read(ref this);
        }
        return records;
    }

    private int ReadLength(string what)
    {
        int length = ReadInt();
        return length >= -1
            ? length
            : throw new JuteFormatException($"a {what} has the length {length}; 0 or more was expected, or -1 for none");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining)
        {
            throw new JuteFormatException($"the frame ends {count - Remaining} bytes too early: {count} bytes were expected at offset {_at}, {Remaining} are there");
        }
        _at += count;
        return _span.Slice(_at - count, count);
    }
}

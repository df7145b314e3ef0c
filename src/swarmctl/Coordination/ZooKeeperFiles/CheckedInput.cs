using System.Buffers.Binary;
using System.Text;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Reads jute's primitive types from a stream of any length, and sums up what was read.</summary>
internal sealed class CheckedInput(Stream stream)
{
    // What is allocated for a length before the bytes for it were seen.
    private const int TrustedBytes = 1 << 20;

    private readonly byte[] buffer = new byte[64 * 1024];
    private Adler32 checksum = new();
    private long before;
    private int at;
    private int summed;
    private int filled;

    /// <summary>Bytes read so far.</summary>
    public long Offset => before + at;

    /// <summary>The sum of the bytes read so far.</summary>
    public uint Checksum
    {
        get
        {
            Sum();
            return checksum.Value;
        }
    }

    /// <summary>How many bytes are left, if they are at most as many; else more than that.</summary>
    public int Left(int most)
    {
        Fill(most + 1);
        return filled - at;
    }

    public int ReadInt() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long ReadLong() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public byte ReadByte() => Take(1)[0];

    public void Skip(int count) => Take(count);

    public string ReadString()
    {
        int length = ReadInt();
        return length >= 0 ? Encoding.UTF8.GetString(ReadBytes(length)) : throw new ZooKeeperFormatException(Offset - 4, $"a string has the length {length}");
    }

    /// <summary>Null where the length is -1.</summary>
    public byte[]? ReadBuffer()
    {
        int length = ReadInt();
        return length >= 0 ? ReadBytes(length) : length == -1 ? null : throw new ZooKeeperFormatException(Offset - 4, $"a buffer has the length {length}");
    }

    /// <exception cref="ZooKeeperFormatException">Fewer bytes are left.</exception>
    public byte[] ReadBytes(int length)
    {
        byte[] bytes = new byte[Math.Min(length, TrustedBytes)];
        for (int have = 0; have < length;)
        {
            if (have == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length));
            }
            Fill(1);
            if (filled == at)
            {
                throw new ZooKeeperFormatException(Offset, $"the file ends {length - have} bytes too early");
            }
            int part = Math.Min(filled - at, bytes.Length - have);
            buffer.AsSpan(at, part).CopyTo(bytes.AsSpan(have));
            at += part;
            have += part;
        }
        return bytes;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        Fill(count);
        if (filled - at < count)
        {
            throw new ZooKeeperFormatException(Offset, $"the file ends {count - (filled - at)} bytes too early");
        }
        at += count;
        return buffer.AsSpan(at - count, count);
    }

    private void Fill(int count)
    {
        if (filled - at >= count)
        {
            return;
        }
        Sum();
        buffer.AsSpan(at, filled - at).CopyTo(buffer);
        before += at;
        (filled, at, summed) = (filled - at, 0, 0);
        while (filled < count)
        {
            int read;
            try
            {
                read = stream.Read(buffer, filled, buffer.Length - filled);
            }
            catch (InvalidDataException e)
            {
                throw new ZooKeeperFormatException(Offset + filled, $"what is compressed is damaged: {e.Message}");
            }
            if (read == 0)
            {
                return;
            }
            filled += read;
        }
    }

    private void Sum()
    {
        checksum.Add(buffer.AsSpan(summed, at - summed));
        summed = at;
    }
}

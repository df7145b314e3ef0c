using System.Buffers.Binary;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Unpacks the framing of snappy-java's streams, which ZooKeeper's <c>.snappy</c> snapshots have: blocks, each with its length.</summary>
internal sealed class SnappyInput(Stream packed) : Stream
{
    // The writer's blocks have 32 KiB; one that says it is much longer is damaged.
    private const int MaxBlockBytes = 1 << 24;

    private static readonly byte[] Start = [0x82, .. "SNAPPY\0"u8];

    private byte[] block = [];
    private int at;
    private bool started;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        while (at == block.Length)
        {
            if (!ReadBlock())
            {
                return 0;
            }
        }
        int part = Math.Min(count, block.Length - at);
        block.AsSpan(at, part).CopyTo(buffer.AsSpan(offset));
        at += part;
        return part;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Unpacks one block: its length, then literals and copies of what was unpacked before.</summary>
    public static byte[] Unpack(ReadOnlySpan<byte> block)
    {
        int at = 0;
        uint length = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = Next(block, ref at, 1)[0];
            length |= (uint)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                break;
            }
            if (shift == 28)
            {
                throw new InvalidDataException("a block's length has no end");
            }
        }
        if (length > MaxBlockBytes)
        {
            throw new InvalidDataException($"a block says it has {length} bytes");
        }
        byte[] output = new byte[length];
        int made = 0;
        while (at < block.Length)
        {
            int tag = block[at++];
            if ((tag & 3) == 0)
            {
                int size = tag >> 2;
                size = size < 60 ? size + 1 : Number(Next(block, ref at, size - 59)) + 1;
                if (size <= 0 || size > output.Length - made)
                {
                    throw new InvalidDataException("a literal is longer than its block");
                }
                Next(block, ref at, size).CopyTo(output.AsSpan(made));
                made += size;
                continue;
            }
            (int run, int back) = (tag & 3) switch
            {
                1 => (((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | Next(block, ref at, 1)[0]),
                2 => ((tag >> 2) + 1, Number(Next(block, ref at, 2))),
                _ => ((tag >> 2) + 1, Number(Next(block, ref at, 4))),
            };
            if (back <= 0 || back > made || run > output.Length - made)
            {
                throw new InvalidDataException("a copy reaches out of its block");
            }

            // Byte by byte: a copy may read what it has just written.
            for (; run > 0; run--, made++)
            {
                output[made] = output[made - back];
            }
        }
        return made == output.Length ? output : throw new InvalidDataException("a block ends too early");
    }

    protected override void Dispose(bool disposing)
    {
        packed.Dispose();
        base.Dispose(disposing);
    }

    private bool ReadBlock()
    {
        if (!started)
        {
            byte[] header = new byte[16];
            packed.ReadAtLeast(header, 16, throwOnEndOfStream: false);
            started = header.AsSpan().StartsWith(Start) ? true : throw new InvalidDataException("it does not begin as snappy's streams do");
        }
        byte[] prefix = new byte[4];
        int read = packed.ReadAtLeast(prefix, 4, throwOnEndOfStream: false);
        if (read == 0)
        {
            return false;
        }
        int length = read == 4 ? BinaryPrimitives.ReadInt32BigEndian(prefix) : 0;
        if (length is <= 0 or > MaxBlockBytes)
        {
            throw new InvalidDataException($"a block says it has {length} bytes");
        }
        byte[] bytes = new byte[length];
        if (packed.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length)
        {
            throw new InvalidDataException("a block ends too early");
        }
        (block, at) = (Unpack(bytes), 0);
        return true;
    }

    private static ReadOnlySpan<byte> Next(ReadOnlySpan<byte> block, ref int at, int count)
    {
        if (count > block.Length - at)
        {
            throw new InvalidDataException("a block ends too early");
        }
        at += count;
        return block.Slice(at - count, count);
    }

    private static int Number(ReadOnlySpan<byte> littleEndian)
    {
        int number = 0;
        for (int i = littleEndian.Length - 1; i >= 0; i--)
        {
            number = (number << 8) | littleEndian[i];
        }
        return number;
    }
}

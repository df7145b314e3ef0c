namespace Skep.Sketches;

/// <summary>
/// Parquet's BloomFilterHeader: numBytes, then three unions of which only BLOCK, XXHASH and UNCOMPRESSED exist, in Thrift's compact
/// protocol. Since nothing but the length varies, the header is that length between constants.
/// </summary>
internal static class ParquetHeader
{
    // Field 1, an i32.
    private const byte LengthField = 0x15;

    // Three times: next field, a struct; in it field 1, an empty struct; end of both. Then the end of the header.
    private static ReadOnlySpan<byte> Rest => [0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0];

    public static byte[] Write(int bitBytes)
    {
        List<byte> header = [LengthField];

        // Zigzag, then seven bits a byte, the lowest first.
        uint left = (uint)bitBytes << 1;
        for (; left >= 0x80; left >>= 7)
        {
            header.Add((byte)(left | 0x80));
        }
        header.Add((byte)left);
        return [.. header, .. Rest];
    }

    public static int Read(ReadOnlySpan<byte> bytes, out int headerBytes)
    {
        ulong zigzag = 0;
        int at = 1;
        bool whole = false;
        for (; at < bytes.Length && at <= 5 && !whole; at++)
        {
            zigzag |= (ulong)(bytes[at] & 0x7f) << (7 * (at - 1));
            whole = bytes[at] < 0x80;
        }
        if (!whole || bytes[0] != LengthField || zigzag > uint.MaxValue || (zigzag & 1) != 0 || !bytes[at..].StartsWith(Rest))
        {
            throw new SketchFormatException("not the header of an uncompressed split-block Bloom filter with XXH64, the only one that Parquet has");
        }
        headerBytes = at + Rest.Length;
        return (int)(zigzag >> 1);
    }
}

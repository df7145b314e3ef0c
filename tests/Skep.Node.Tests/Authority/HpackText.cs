using System.Text;

namespace Skep.Node.Tests.Authority;

/// <summary>Header fields written as HTTP/2 clients write them (RFC 7541), for tests.</summary>
internal static class HpackText
{
    public static byte[] Indexed(int index) => [(byte)(0x80 | index)];

    public static byte[] SizeUpdate(int size) => Integer(0x20, 5, size);

    public static byte[] Literal(byte representation, int prefixBits, int nameIndex, byte[] value) =>
        [.. Integer(representation, prefixBits, nameIndex), .. value];

    public static byte[] Plain(string text) => [.. Integer(0, 7, Encoding.ASCII.GetByteCount(text)), .. Encoding.ASCII.GetBytes(text)];

    public static byte[] Integer(byte first, int prefixBits, int value)
    {
        int max = (1 << prefixBits) - 1;
        if (value < max)
        {
            return [(byte)(first | value)];
        }
        var bytes = new List<byte> { (byte)(first | max) };
        for (value -= max; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(0x80 | (value & 0x7f)));
        }
        bytes.Add((byte)value);
        return [.. bytes];
    }

    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [
            (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags,
            (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload,
        ];
}

using System.Buffers;
using System.Text;

namespace Skep.Node.Authority;

/// <summary>
/// Walks a header block (RFC 7541) by lengths alone and writes it again with <c>:authority</c> replaced. Nothing is decoded:
/// the server behind has announced a dynamic table of size 0, so that no field can depend on another.
/// </summary>
internal static class HeaderBlock
{
    private const int StaticTableSize = 61;
    private const int AuthorityIndex = 1;

    private static readonly byte[] AuthorityName = Encoding.ASCII.GetBytes(":authority");

    // ":authority" as Huffman codes (RFC 7541, appendix B), padded with ones to whole bytes.
    private static readonly byte[] AuthorityNameHuffman =
        Pack("1011100" + "00011" + "101101" + "01001" + "100111" + "00111" + "101100" + "00110" + "01001" + "1111010");

    /// <summary>Writes the block with the authority that the server accepts in place of the client's.</summary>
    /// <exception cref="AuthorityException">The block breaks the rules of the format or refers to a dynamic table.</exception>
    public static void Rewrite(ReadOnlySpan<byte> block, ReadOnlySpan<byte> authority, IBufferWriter<byte> to)
    {
        int at = 0;
        bool fieldsBegan = false;
        while (at < block.Length)
        {
            int start = at;
            byte first = block[at];
            if ((first & 0x80) != 0)
            {
                int index = ReadInteger(block, ref at, 7);
                CheckIndex(index, mayBeNew: false);
                if (index == AuthorityIndex)
                {
                    WriteAuthority(0x00, authority, to);
                }
                else
                {
                    to.Write(block[start..at]);
                }
                fieldsBegan = true;
                continue;
            }
            if ((first & 0xe0) == 0x20)
            {
                if (fieldsBegan)
                {
                    throw new AuthorityException("a table size update stands behind a header field");
                }
                ReadInteger(block, ref at, 5);
                to.Write(block[start..at]);
                continue;
            }
            fieldsBegan = true;
            bool indexed = (first & 0x40) != 0;
            int nameIndex = ReadInteger(block, ref at, indexed ? 6 : 4);
            CheckIndex(nameIndex, mayBeNew: true);
            bool isAuthority = nameIndex == AuthorityIndex;
            if (nameIndex == 0)
            {
                bool huffman = (at < block.Length) && (block[at] & 0x80) != 0;
                ReadOnlySpan<byte> name = ReadString(block, ref at);
                isAuthority = name.SequenceEqual(huffman ? AuthorityNameHuffman : AuthorityName);
            }
            ReadString(block, ref at);
            if (isAuthority)
            {
                // The bits that say whether intermediaries may index the field stay as the client set them.
                WriteAuthority((byte)(first & (indexed ? 0x40 : 0x10)), authority, to);
            }
            else
            {
                to.Write(block[start..at]);
            }
        }
    }

    private static void WriteAuthority(byte representation, ReadOnlySpan<byte> authority, IBufferWriter<byte> to)
    {
        Span<byte> span = to.GetSpan(2 + authority.Length);
        span[0] = (byte)(representation | AuthorityIndex);
        span[1] = (byte)authority.Length;
        authority.CopyTo(span[2..]);
        to.Advance(2 + authority.Length);
    }

    private static void CheckIndex(int index, bool mayBeNew)
    {
        if (index > StaticTableSize || (index == 0 && !mayBeNew))
        {
            throw new AuthorityException($"header index {index} is not in the static table; the dynamic table has size 0");
        }
    }

    // RFC 7541, section 5.1, bounded: no length or index in a block may be larger than a block.
    private static int ReadInteger(ReadOnlySpan<byte> block, ref int at, int prefixBits)
    {
        int max = (1 << prefixBits) - 1;
        int value = block[at++] & max;
        if (value < max)
        {
            return value;
        }
        for (int shift = 0; shift <= 21; shift += 7)
        {
            if (at >= block.Length)
            {
                throw new AuthorityException("a header block ends inside an integer");
            }
            byte next = block[at++];
            value += (next & 0x7f) << shift;
            if ((next & 0x80) == 0)
            {
                return value;
            }
        }
        throw new AuthorityException("an integer in a header block is too large");
    }

    private static ReadOnlySpan<byte> ReadString(ReadOnlySpan<byte> block, ref int at)
    {
        if (at >= block.Length)
        {
            throw new AuthorityException("a header block ends where a string must begin");
        }
        int length = ReadInteger(block, ref at, 7);
        if (length > block.Length - at)
        {
            throw new AuthorityException($"a string of {length} bytes does not fit into its header block");
        }
        ReadOnlySpan<byte> text = block.Slice(at, length);
        at += length;
        return text;
    }

    private static byte[] Pack(string bits)
    {
        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        return [.. bits.Chunk(8).Select(b => Convert.ToByte(new string(b), 2))];
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Skep.DataPlane.Packets;

/// <summary>
/// The Internet checksum (RFC 1071), whole and incremental (RFC 1624). Sums are kept in the machine's own byte order, in which the
/// one's complement sum is the same number with its bytes turned; results are numbers as they stand in network order.
/// </summary>
public static class Checksum
{
    /// <summary>Adds bytes to a sum; of several pieces, only the last may have an odd length.</summary>
    public static ulong Add(ulong sum, ReadOnlySpan<byte> data)
    {
        ref byte start = ref MemoryMarshal.GetReference(data);
        int i = 0;
        if (Vector256.IsHardwareAccelerated && data.Length >= Vector256<byte>.Count)
        {
            // 32-bit words added into 64-bit lanes: no carry is lost in fewer than 2^32 steps.
            Vector256<ulong> even = Vector256<ulong>.Zero, odd = Vector256<ulong>.Zero;
            Vector256<ulong> mask = Vector256.Create(0xFFFF_FFFFUL);
            for (; i <= data.Length - Vector256<byte>.Count; i += Vector256<byte>.Count)
            {
                Vector256<ulong> words = Vector256.LoadUnsafe(ref start, (nuint)i).AsUInt64();
                even += words & mask;
                odd += words >>> 32;
            }
            ulong lanes = Vector256.Sum(even + odd);
            sum = AddCarry(sum, lanes);
        }
        for (; i <= data.Length - sizeof(uint); i += sizeof(uint))
        {
            sum = AddCarry(sum, Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, i)));
        }
        if (i <= data.Length - sizeof(ushort))
        {
            sum = AddCarry(sum, Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, i)));
            i += sizeof(ushort);
        }
        if (i < data.Length)
        {
            // The byte that is missing counts as 0 and comes last on the wire.
            sum = AddCarry(sum, BitConverter.IsLittleEndian ? data[i] : (uint)data[i] << 8);
        }
        return sum;
    }

    /// <summary>Folds a sum to the checksum that belongs in a header.</summary>
    public static ushort Finish(ulong sum)
    {
        ushort folded = (ushort)~Fold(sum);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
    }

    /// <summary>The checksum of bytes; 0 where they hold a right checksum already.</summary>
    public static ushort Of(ReadOnlySpan<byte> data) => Finish(Add(0, data));

    /// <summary>Whether an IPv4 header without options has a right checksum.</summary>
    /// <param name="header">Its 20 bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsRight(ReadOnlySpan<byte> header)
    {
        ref byte start = ref MemoryMarshal.GetReference(header[..IpParser.V4Bytes]);
        ulong a = Unsafe.ReadUnaligned<ulong>(ref start), b = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8));
        ulong sum = (uint)a + (a >> 32) + (uint)b + (b >> 32) + Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 16));
        sum = (sum & 0xFFFF) + ((sum >> 16) & 0xFFFF) + (sum >> 32);
        return (sum & 0xFFFF) + (sum >> 16) == 0xFFFF;
    }

    /// <summary>The sum of the pseudo header of TCP, UDP and ICMPv6 (RFC 9293, 3.1; RFC 8200, 8.1).</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address, of the same family.</param>
    /// <param name="protocol">Protocol number.</param>
    /// <param name="lengthBytes">Transport header and payload.</param>
    [SkipLocalsInit]
    public static ulong PseudoHeader(IpAddr source, IpAddr destination, byte protocol, int lengthBytes)
    {
        Span<byte> header = stackalloc byte[40];
        int size = source.SizeBytes;
        source.Write(header);
        destination.Write(header[size..]);
        BinaryPrimitives.WriteUInt32BigEndian(header[(2 * size)..], (uint)lengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(header[(2 * size + 4)..], protocol);
        return Add(0, header[..(2 * size + 8)]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddCarry(ulong sum, ulong value)
    {
        sum += value;
        return sum + (sum < value ? 1UL : 0);
    }

    private static ushort Fold(ulong sum)
    {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)((sum & 0xFFFF) + (sum >> 16));
    }
}

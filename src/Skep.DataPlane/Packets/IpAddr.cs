using System.Buffers.Binary;
using System.Net;

namespace Skep.DataPlane.Packets;

/// <summary>
/// An IPv4 or IPv6 address in 16 bytes without a heap object. IPv4 is held as <c>::ffff:a.b.c.d</c> (RFC 4291, 2.5.5.2), which
/// never comes from a wire: the parser refuses it in IPv6 headers.
/// </summary>
/// <param name="High">The first eight bytes, big-endian.</param>
/// <param name="Low">The last eight bytes, big-endian.</param>
public readonly record struct IpAddr(ulong High, ulong Low)
{
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    /// <summary>An IPv4 address from its 32 bits.</summary>
    public static IpAddr V4(uint bits) => new(0, MappedPrefix | bits);

    /// <summary>Whether this is an IPv4 address.</summary>
    public bool IsV4 => High == 0 && (Low & 0xFFFF_FFFF_0000_0000) == MappedPrefix;

    /// <summary>The 32 bits of an IPv4 address.</summary>
    public uint V4Bits => (uint)Low;

    /// <summary>Bytes on the wire: 4 or 16.</summary>
    public int SizeBytes => IsV4 ? 4 : 16;

    /// <summary>Whether packets may carry it as the address of one host.</summary>
    public bool IsUnicast => IsV4
        ? V4Bits != 0 && V4Bits < 0xE000_0000
        : (High | Low) != 0 && (High >> 56) != 0xFF;

    /// <summary>Reads 4 bytes.</summary>
    public static IpAddr ReadV4(ReadOnlySpan<byte> bytes) => V4(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Reads 16 bytes.</summary>
    public static IpAddr ReadV6(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes 4 or 16 bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        if (IsV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, V4Bits);
            return;
        }
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    /// <summary>Reads the usual text forms.</summary>
    /// <exception cref="FormatException">It is no address.</exception>
    public static IpAddr Parse(string text)
    {
        byte[] bytes = (IPAddress.TryParse(text, out IPAddress? parsed)
            ? parsed
            : throw new FormatException($"'{text}' is no IP address: expected one such as 192.0.2.1 or 2001:db8::1")).GetAddressBytes();
        return bytes.Length == 4 ? ReadV4(bytes) : ReadV6(bytes);
    }

    /// <inheritdoc />
    public override string ToString()
    {
        byte[] bytes = new byte[SizeBytes];
        Write(bytes);
        return new IPAddress(bytes).ToString();
    }
}

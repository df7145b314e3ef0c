using System.Buffers.Binary;
using System.Globalization;

namespace Skep.DataPlane.Packets;

/// <summary>An Ethernet address: 48 bits, the first byte on the wire being the most significant.</summary>
/// <param name="Value">The address in the lower 48 bits.</param>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Bytes of an address on the wire.</summary>
    public const int SizeBytes = 6;

    /// <summary>The address of everybody on the link.</summary>
    public static readonly MacAddress Broadcast = new(0xFFFF_FFFF_FFFF);

    /// <summary>Whether the address is a group's; broadcast is one.</summary>
    public bool IsMulticast => (Value & 0x0100_0000_0000) != 0;

    /// <summary>Reads six bytes.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));

    /// <summary>Writes six bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)Value);
    }

    /// <summary>Reads <c>02:00:00:00:00:01</c>.</summary>
    /// <exception cref="FormatException">It is not six pairs of hexadecimal digits between colons.</exception>
    public static MacAddress Parse(string text)
    {
        string[] parts = text.Split(':');
        ulong value = 0;
        foreach (string part in parts)
        {
            if (parts.Length != SizeBytes || part.Length != 2 || !byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b))
            {
                throw new FormatException($"'{text}' is not an Ethernet address: expected six pairs of hexadecimal digits, such as 02:00:00:00:00:01");
            }
            value = (value << 8) | b;
        }
        return new MacAddress(value);
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(byte)(Value >> 40):x2}:{(byte)(Value >> 32):x2}:{(byte)(Value >> 24):x2}:{(byte)(Value >> 16):x2}:{(byte)(Value >> 8):x2}:{(byte)Value:x2}");
}

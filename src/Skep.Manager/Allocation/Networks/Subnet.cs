using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Skep.Manager.Allocation;

/// <summary>A range of addresses with a common prefix, IPv4 or IPv6; addresses are numbers here.</summary>
internal readonly record struct Subnet(UInt128 First, int PrefixLength, bool IsV6)
{
    /// <summary>Bits of an address.</summary>
    public int Bits => IsV6 ? 128 : 32;

    /// <summary>The last address; the broadcast address in IPv4.</summary>
    public UInt128 Last => First | HostMask(Bits - PrefixLength);

    /// <summary>Reads "10.0.0.0/8"; bits behind the prefix are ignored. Null when it is no such thing.</summary>
    public static Subnet? Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int prefixLength))
        {
            return null;
        }
        bool v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        int bits = v6 ? 128 : 32;
        return prefixLength > bits ? null : new Subnet(ToNumber(address) & ~HostMask(bits - prefixLength), prefixLength, v6);
    }

    /// <summary>An address as a number; null when the text is no address of this subnet. A prefix behind it is ignored.</summary>
    public UInt128? NumberOf(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return IPAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out IPAddress? address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6) == IsV6
            && ToNumber(address) is var number && Contains(number)
            ? number
            : null;
    }

    /// <summary>Whether an address lies in it.</summary>
    public bool Contains(UInt128 address) => address >= First && address <= Last;

    /// <summary>Whether two share an address.</summary>
    public bool Overlaps(Subnet other) => IsV6 == other.IsV6 && First <= other.Last && other.First <= Last;

    /// <summary>An address of the subnet as text.</summary>
    public string Address(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(IsV6 ? bytes : bytes[12..]).ToString();
    }

    /// <summary>An address of the subnet with its prefix length, as interfaces are given it.</summary>
    public string AddressWithPrefix(UInt128 number) => $"{Address(number)}/{PrefixLength}";

    /// <inheritdoc/>
    public override string ToString() => AddressWithPrefix(First);

    private static UInt128 HostMask(int bits) => bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;

    private static UInt128 ToNumber(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        UInt128 number = 0;
        foreach (byte b in bytes)
        {
            number = (number << 8) | b;
        }
        return number;
    }
}

using System.Buffers.Binary;
using System.Text;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Native;

/// <summary>What ioctl(2) says of a network device, in the namespace of the socket that asks.</summary>
internal static unsafe class NetDevice
{
    public const int NameBytes = 16;
    public const int RequestBytes = 40;
    private const nuint GetIndex = 0x8933;
    private const nuint GetHardwareAddress = 0x8927;
    private const nuint SetHardwareAddress = 0x8924;
    private const nuint GetFlags = 0x8913;
    private const nuint SetFlags = 0x8914;
    private const nuint GetMtu = 0x8921;
    private const nuint SetAddress = 0x8916;
    private const nuint SetNetmask = 0x891C;
    private const ushort InternetFamily = 2;
    private const int InternetFamilyV6 = 10;
    private const ushort EthernetFamily = 1;
    private const ushort Up = 1;

    /// <summary>Writes a device's name into a request.</summary>
    /// <exception cref="ArgumentException">It is empty or longer than 15 bytes.</exception>
    public static void WriteName(Span<byte> request, string name)
    {
        request.Clear();
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) >= NameBytes)
        {
            throw new ArgumentException($"'{name}' is no name of a network device: expected 1 to {NameBytes - 1} bytes", nameof(name));
        }
        Encoding.UTF8.GetBytes(name, request);
    }

    public static int Index(int socket, string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Ask(socket, GetIndex, name, request, $"no network device '{name}' can be found (ip link lists those there are)");
        return BinaryPrimitives.ReadInt32LittleEndian(request[NameBytes..]);
    }

    public static MacAddress Mac(int socket, string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Ask(socket, GetHardwareAddress, name, request, $"the address of '{name}' cannot be read");
        return MacAddress.Read(request[(NameBytes + 2)..]);
    }

    /// <summary>The longest IP packet that the device carries, in bytes.</summary>
    public static int Mtu(int socket, string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Ask(socket, GetMtu, name, request, $"the MTU of '{name}' cannot be read");
        return BinaryPrimitives.ReadInt32LittleEndian(request[NameBytes..]);
    }

    public static bool IsUp(int socket, string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Ask(socket, GetFlags, name, request, $"the flags of '{name}' cannot be read");
        return (request[NameBytes] & Up) != 0;
    }

    public static void SetMac(int socket, string name, MacAddress mac)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        WriteName(request, name);
        BinaryPrimitives.WriteUInt16LittleEndian(request[NameBytes..], EthernetFamily);
        mac.Write(request[(NameBytes + 2)..]);
        Call(socket, SetHardwareAddress, request, $"'{name}' does not take the address {mac}");
    }

    public static void BringUp(int socket, string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Ask(socket, GetFlags, name, request, $"the flags of '{name}' cannot be read");
        request[NameBytes] |= (byte)Up;
        Call(socket, SetFlags, request, $"'{name}' cannot be brought up");
    }

    /// <summary>Gives a device an address. The calling thread's namespace is where the device is looked for.</summary>
    /// <param name="name">The device.</param>
    /// <param name="address">The address and its link.</param>
    /// <param name="number">How many IPv4 addresses it has already: this way of asking knows one a name, and further ones by an alias.</param>
    public static void AddAddress(string name, LinkAddress address, int number)
    {
        bool v4 = address.Address.IsV4;
        using var socket = new KernelSocket(v4 ? InternetFamily : InternetFamilyV6);
        Span<byte> request = stackalloc byte[RequestBytes];
        string otherwise = $"'{name}' does not take the address {address.Address}/{address.PrefixBits}";
        if (!v4)
        {
            int index = Index(socket.Descriptor, name);
            request.Clear();
            address.Address.Write(request);
            BinaryPrimitives.WriteInt32LittleEndian(request[16..], address.PrefixBits);
            BinaryPrimitives.WriteInt32LittleEndian(request[20..], index);
            Call(socket.Descriptor, SetAddress, request, otherwise);
            return;
        }
        string alias = number == 0 ? name : $"{name}:{number}";
        WriteInternet(request, alias, address.Address.V4Bits);
        Call(socket.Descriptor, SetAddress, request, otherwise);
        WriteInternet(request, alias, address.PrefixBits == 0 ? 0 : uint.MaxValue << (32 - address.PrefixBits));
        Call(socket.Descriptor, SetNetmask, request, otherwise);
    }

    private static void WriteInternet(Span<byte> request, string name, uint bits)
    {
        WriteName(request, name);
        BinaryPrimitives.WriteUInt16LittleEndian(request[NameBytes..], InternetFamily);
        BinaryPrimitives.WriteUInt32BigEndian(request[(NameBytes + 4)..], bits);
    }

    private static void Ask(int socket, nuint what, string name, Span<byte> request, string otherwise)
    {
        WriteName(request, name);
        Call(socket, what, request, otherwise);
    }

    private static void Call(int socket, nuint what, Span<byte> request, string otherwise)
    {
        fixed (byte* p = request)
        {
            if (Libc.IoCtl(socket, what, p) < 0)
            {
                throw Libc.Failed(otherwise);
            }
        }
    }
}

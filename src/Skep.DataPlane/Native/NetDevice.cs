using System.Buffers.Binary;
using System.Text;
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

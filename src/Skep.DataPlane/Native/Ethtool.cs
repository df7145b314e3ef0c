using System.Buffers.Binary;
using System.Text;

namespace Skep.DataPlane.Native;

/// <summary>What SIOCETHTOOL says and changes of a device (include/uapi/linux/ethtool.h).</summary>
internal static unsafe class Ethtool
{
    public const uint FlagVlanTags = 1 << 8;
    public const uint FlagLargeReceive = 1 << 15;
    private const nuint Request = 0x8946;
    private const uint GetDriver = 0x3, GetFlags = 0x25, SetFlags = 0x26, GetGro = 0x2B, SetGro = 0x2C, GetChannels = 0x3C;

    /// <summary>The driver's name; empty where it cannot be told.</summary>
    public static string Driver(int socket, string device)
    {
        Span<byte> data = stackalloc byte[196];
        if (!TryCall(socket, device, GetDriver, data))
        {
            return "";
        }
        ReadOnlySpan<byte> name = data.Slice(4, 32);
        int end = name.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? name : name[..end]);
    }

    /// <summary>How many queues receive; null where it cannot be told.</summary>
    public static int? ReceiveQueues(int socket, string device)
    {
        Span<byte> data = stackalloc byte[36];
        return TryCall(socket, device, GetChannels, data)
            ? (int)(BinaryPrimitives.ReadUInt32LittleEndian(data[20..]) + BinaryPrimitives.ReadUInt32LittleEndian(data[32..]))
            : null;
    }

    /// <summary>Switches off flags of <see cref="FlagVlanTags"/> and <see cref="FlagLargeReceive"/>.</summary>
    /// <returns>Those that were on and are off now.</returns>
    public static uint SwitchOffFlags(int socket, string device, uint flags)
    {
        if (Value(socket, device, GetFlags) is not { } before || (before & flags) == 0 || !TrySet(socket, device, SetFlags, before & ~flags))
        {
            return 0;
        }
        return before & flags & ~(Value(socket, device, GetFlags) ?? before);
    }

    /// <summary>Switches off the joining of received segments (generic receive offload).</summary>
    /// <returns>Whether it was on and is off now.</returns>
    public static bool SwitchOffGro(int socket, string device) =>
        Value(socket, device, GetGro) == 1 && TrySet(socket, device, SetGro, 0) && Value(socket, device, GetGro) == 0;

    private static uint? Value(int socket, string device, uint command)
    {
        Span<byte> data = stackalloc byte[8];
        return TryCall(socket, device, command, data) ? BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) : null;
    }

    private static bool TrySet(int socket, string device, uint command, uint value)
    {
        Span<byte> data = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], value);
        return TryCall(socket, device, command, data);
    }

    private static bool TryCall(int socket, string device, uint command, Span<byte> data)
    {
        Span<byte> request = stackalloc byte[NetDevice.RequestBytes];
        NetDevice.WriteName(request, device);
        BinaryPrimitives.WriteUInt32LittleEndian(data, command);
        fixed (byte* r = request, d = data)
        {
            *(byte**)(r + NetDevice.NameBytes) = d;
            return Libc.IoCtl(socket, Request, r) >= 0;
        }
    }
}

using System.Buffers.Binary;
using Skep.DataPlane.Native;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>Which XDP program a device has (rtnetlink(7), IFLA_XDP), and how it is removed.</summary>
internal static unsafe class XdpAttached
{
    private const int NetlinkFamily = 16, Raw = 3, CloseOnExec = 0x80000;
    private const ushort GetLink = 18, NewLink = 16, Request = 1;
    private const int HeaderBytes = 16, LinkBytes = 16;
    private const ushort Xdp = 43, FirstId = 4, LastId = 7, TypeMask = 0x3FFF;

    /// <summary>Says it in words.</summary>
    public static string Describe(string device, int index)
    {
        if (Id(index) is not { } id)
        {
            return "which one cannot be told (ip link shows it)";
        }
        string name = $"'{Bpf.ProgramName(id) ?? "unnamed"}' (program {id})";
        return Bpf.LinkOf(id, index) is { } link
            ? $"{name}, held by link {link}. It goes when the process that holds it ends, or by: bpftool link detach id {link}"
            : $"{name}. Remove it by: ip link set dev {device} xdp off; ip link set dev {device} xdpgeneric off";
    }

    /// <summary>The number of the program on a device; null where there is none.</summary>
    public static uint? Id(int index)
    {
        int socket = Libc.Socket(NetlinkFamily, Raw | CloseOnExec, 0);
        if (socket < 0)
        {
            return null;
        }
        try
        {
            byte[] buffer = new byte[32_768];
            BinaryPrimitives.WriteUInt32LittleEndian(buffer, HeaderBytes + LinkBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(4), GetLink);
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(6), Request);
            BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(HeaderBytes + 4), index);
            fixed (byte* p = buffer)
            {
                nint length = Libc.Write(socket, p, HeaderBytes + LinkBytes) < 0 ? -1 : Libc.Read(socket, p, (nuint)buffer.Length);
                bool answered = length > HeaderBytes + LinkBytes && BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(4)) == NewLink;
                return answered ? Find(buffer.AsSpan(HeaderBytes + LinkBytes, (int)length - HeaderBytes - LinkBytes)) : null;
            }
        }
        finally
        {
            _ = Libc.Close(socket);
        }
    }

    private static uint? Find(ReadOnlySpan<byte> attributes)
    {
        while (TryNext(ref attributes, out ushort type, out ReadOnlySpan<byte> value))
        {
            while (type == Xdp && TryNext(ref value, out ushort inner, out ReadOnlySpan<byte> id))
            {
                if (inner is >= FirstId and <= LastId && id.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(id) != 0)
                {
                    return BinaryPrimitives.ReadUInt32LittleEndian(id);
                }
            }
        }
        return null;
    }

    private static bool TryNext(ref ReadOnlySpan<byte> attributes, out ushort type, out ReadOnlySpan<byte> value)
    {
        const int header = 4;
        type = 0;
        value = default;
        if (attributes.Length < header)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
        if (length < header || length > attributes.Length)
        {
            return false;
        }
        type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & TypeMask);
        value = attributes[header..length];
        attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        return true;
    }
}

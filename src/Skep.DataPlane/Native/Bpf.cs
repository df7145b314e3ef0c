using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Skep.DataPlane.Native;

/// <summary>The commands of bpf(2) that are used here (include/uapi/linux/bpf.h). Each gives a descriptor, or -1 and errno.</summary>
internal static unsafe class Bpf
{
    private const int MapCreate = 0, MapUpdate = 2, ProgramLoad = 5, ProgramById = 13, ObjectInfo = 15, LinkCreate = 28, LinkById = 30, LinkNextId = 31, LinkDetach = 34;
    private const int XskMap = 17, XdpProgram = 6, XdpAttach = 37, XdpLink = 6;
    private const int NameBytes = 16;
    private const int AttributeBytes = 128;
    private const int InfoBytes = 256;

    /// <summary>Makes a map from queue numbers to AF_XDP sockets.</summary>
    public static int CreateXskMap(string name, int entries)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        Put(attribute, 0, XskMap, sizeof(uint), sizeof(uint), (uint)entries);
        Encoding.ASCII.GetBytes(name, attribute.Slice(28, NameBytes - 1));
        return Call(MapCreate, attribute);
    }

    public static int SetMapEntry(int map, uint key, uint value)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        Put(attribute, 0, (uint)map);
        BinaryPrimitives.WriteUInt64LittleEndian(attribute[8..], (ulong)&key);
        BinaryPrimitives.WriteUInt64LittleEndian(attribute[16..], (ulong)&value);
        return Call(MapUpdate, attribute);
    }

    /// <summary>Has the kernel verify and load an XDP program.</summary>
    /// <param name="name">Its name, 15 bytes of ASCII at most.</param>
    /// <param name="instructions">Eight bytes each.</param>
    /// <param name="log">Gets what the verifier says; empty where nothing is to be said.</param>
    public static int LoadXdp(string name, ReadOnlySpan<ulong> instructions, Span<byte> log)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        fixed (ulong* code = instructions)
        fixed (byte* license = "Apache-2.0\0"u8, text = log)
        {
            Put(attribute, 0, XdpProgram, (uint)instructions.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(attribute[8..], (ulong)code);
            BinaryPrimitives.WriteUInt64LittleEndian(attribute[16..], (ulong)license);
            Put(attribute, 24, log.IsEmpty ? 0u : 1u, (uint)log.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(attribute[32..], (ulong)text);
            Encoding.ASCII.GetBytes(name, attribute.Slice(48, NameBytes - 1));
            Put(attribute, 68, XdpAttach);
            return Call(ProgramLoad, attribute);
        }
    }

    /// <summary>Attaches a program to a device for as long as somebody holds the descriptor.</summary>
    public static int LinkXdp(int program, int device, uint flags)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        Put(attribute, 0, (uint)program, (uint)device, XdpAttach, flags);
        return Call(LinkCreate, attribute);
    }

    /// <summary>Takes a link's program off its device, whoever else still holds the link.</summary>
    public static int DetachLink(int link)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        Put(attribute, 0, (uint)link);
        return Call(LinkDetach, attribute);
    }

    /// <summary>A loaded program's name; null where it cannot be told.</summary>
    public static string? ProgramName(uint id)
    {
        Span<byte> info = stackalloc byte[InfoBytes];
        if (!TryInfo(ProgramById, id, info))
        {
            return null;
        }
        ReadOnlySpan<byte> name = info.Slice(64, NameBytes);
        int end = name.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? name : name[..end]);
    }

    /// <summary>The link by which a program is attached to a device; null where it is attached without, or it cannot be told.</summary>
    public static uint? LinkOf(uint program, int device)
    {
        const int most = 65_536;
        Span<byte> attribute = stackalloc byte[AttributeBytes], info = stackalloc byte[InfoBytes];
        uint id = 0;
        for (int i = 0; i < most; i++)
        {
            attribute.Clear();
            Put(attribute, 0, id);
            if (Call(LinkNextId, attribute) < 0)
            {
                break;
            }
            id = BinaryPrimitives.ReadUInt32LittleEndian(attribute[4..]);
            if (TryInfo(LinkById, id, info) && Get(info, 0) == XdpLink && Get(info, 8) == program && Get(info, 16) == (uint)device)
            {
                return id;
            }
        }
        return null;
    }

    /// <summary>A descriptor of a link, which holds the link as the first one does.</summary>
    public static int OpenLink(uint id) => Open(LinkById, id);

    private static int Open(int command, uint id)
    {
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        Put(attribute, 0, id);
        return Call(command, attribute);
    }

    private static bool TryInfo(int command, uint id, Span<byte> info)
    {
        int descriptor = Open(command, id);
        if (descriptor < 0)
        {
            return false;
        }
        info.Clear();
        Span<byte> attribute = stackalloc byte[AttributeBytes];
        attribute.Clear();
        fixed (byte* p = info)
        {
            Put(attribute, 0, (uint)descriptor, (uint)info.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(attribute[8..], (ulong)p);
            bool told = Call(ObjectInfo, attribute) >= 0;
            _ = Libc.Close(descriptor);
            return told;
        }
    }

    private static uint Get(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static void Put(Span<byte> bytes, int at, params ReadOnlySpan<uint> values)
    {
        foreach (uint value in values)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[at..], value);
            at += sizeof(uint);
        }
    }

    private static int Call(int command, Span<byte> attribute)
    {
        int number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;
        fixed (byte* p = attribute)
        {
            return (int)Libc.SysCall(number, command, p, attribute.Length);
        }
    }
}

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>
/// The program itself, in the kernel's instruction set (RFC 9669): the frame goes to the socket that the map holds for its receive
/// queue, and to the kernel where it holds none.
/// </summary>
internal static class XdpInstructions
{
    private const byte Load32 = 0x61, LoadImmediate64 = 0x18, Move = 0xB7, CallHelper = 0x85, Exit = 0x95;
    private const byte PseudoMapDescriptor = 1;
    private const short ReceiveQueueInContext = 16;
    private const int RedirectMap = 51;
    private const int Pass = 2;

    /// <summary>Assembles it.</summary>
    /// <param name="map">The map's descriptor.</param>
    public static ulong[] Assemble(int map) =>
    [
        Encode(Load32, destination: 2, source: 1, offset: ReceiveQueueInContext),
        Encode(LoadImmediate64, destination: 1, source: PseudoMapDescriptor, immediate: map),
        0,
        // What the helper answers where the map holds nothing (Linux 5.3).
        Encode(Move, destination: 3, immediate: Pass),
        Encode(CallHelper, immediate: RedirectMap),
        Encode(Exit),
    ];

    private static ulong Encode(byte code, byte destination = 0, byte source = 0, short offset = 0, int immediate = 0) =>
        code | (ulong)destination << 8 | (ulong)source << 12 | (ulong)(ushort)offset << 16 | (ulong)(uint)immediate << 32;
}

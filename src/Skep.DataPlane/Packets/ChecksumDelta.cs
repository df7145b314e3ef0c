using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Packets;

/// <summary>
/// What changing some 16-bit words of a packet does to its checksum: HC' = ~(~HC + ~m + m') (RFC 1624, equation 3). A checksum that
/// was wrong stays wrong, so a damaged packet is not mended by the way.
/// </summary>
public struct ChecksumDelta
{
    private ulong _sum;

    /// <summary>A word changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Replace16(ushort before, ushort after) => _sum += (ulong)(ushort)~before + after;

    /// <summary>Two words at an even offset changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Replace32(uint before, uint after) => _sum += (ulong)~before + after;

    /// <summary>An address changed into another of its family.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Replace(IpAddr before, IpAddr after)
    {
        // The words of the mapped prefix are equal on both sides and cancel.
        Replace32((uint)before.Low, (uint)after.Low);
        if (before.High != after.High || (before.Low ^ after.Low) >> 32 != 0)
        {
            Replace32((uint)(before.Low >> 32), (uint)(after.Low >> 32));
            Replace32((uint)(before.High >> 32), (uint)(after.High >> 32));
            Replace32((uint)before.High, (uint)after.High);
        }
    }

    /// <summary>The checksum after the changes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ushort Apply(ushort checksum)
    {
        ulong sum = (ushort)~checksum + _sum;
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}

using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests;

/// <summary>The Internet checksum as RFC 1071 says it: word by word.</summary>
internal static class NaiveChecksum
{
    public static ushort Of(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i += 2)
        {
            sum += (uint)(data[i] << 8 | (i + 1 < data.Length ? data[i + 1] : 0));
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        return (ushort)~sum;
    }

    public static ushort Transport(IpAddr source, IpAddr destination, byte protocol, ReadOnlySpan<byte> segment)
    {
        int n = source.SizeBytes;
        byte[] all = new byte[2 * n + 8 + segment.Length];
        source.Write(all);
        destination.Write(all.AsSpan(n));
        all[2 * n + 2] = (byte)(segment.Length >> 8);
        all[2 * n + 3] = (byte)segment.Length;
        all[2 * n + 7] = protocol;
        segment.CopyTo(all.AsSpan(2 * n + 8));
        return Of(all);
    }
}

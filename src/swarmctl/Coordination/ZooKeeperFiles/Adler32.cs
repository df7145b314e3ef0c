namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>The checksum of ZooKeeper's files (RFC 1950), over as many pieces as there are.</summary>
internal struct Adler32()
{
    private const uint Modulus = 65521;

    // So many bytes can be summed before the second sum leaves 32 bits.
    private const int Block = 5552;

    private uint first = 1;
    private uint second;

    public readonly uint Value => (second << 16) | first;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var sum = new Adler32();
        sum.Add(bytes);
        return sum.Value;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            ReadOnlySpan<byte> block = bytes[..Math.Min(Block, bytes.Length)];
            foreach (byte b in block)
            {
                first += b;
                second += first;
            }
            first %= Modulus;
            second %= Modulus;
            bytes = bytes[block.Length..];
        }
    }
}

namespace Skep.Sketches;

/// <summary>
/// How many blocks a number of keys needs. Keys spread over blocks as Poisson's distribution has it, and a block of k keys passes a
/// stranger with (1 − (31/32)^k)^8; the mean of that is the filter's rate (Putze, Sanders and Singler, "Cache-, hash- and space-efficient
/// Bloom filters", 2007). Parquet's own formula leaves the spread out, and misses the rate it was asked for by a fifth at 1 %.
/// </summary>
internal static class BloomSizing
{
    public const int MaxBlocks = 1 << 26;

    public static int Blocks(long keys, double falsePositiveRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(keys);
        if (!(falsePositiveRate is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(falsePositiveRate), falsePositiveRate, "the false-positive rate lies between 0 and 1, both excluded");
        }
        if (Rate((double)keys / MaxBlocks) > falsePositiveRate)
        {
            throw new ArgumentOutOfRangeException(nameof(keys), keys, $"a filter of {MaxBlocks} blocks (2 GiB), the largest, cannot hold that many keys at a rate of {falsePositiveRate}");
        }
        int low = 1, high = MaxBlocks;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            if (Rate((double)keys / middle) <= falsePositiveRate)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }
        return low;
    }

    /// <summary>The rate at so many keys a block.</summary>
    public static double Rate(double keysPerBlock)
    {
        // Beyond, blocks are full.
        if (keysPerBlock > 600)
        {
            return 1;
        }
        double rate = 0, probability = Math.Exp(-keysPerBlock);
        int last = (int)(keysPerBlock + (12 * Math.Sqrt(keysPerBlock)) + 20);
        for (int k = 1; k <= last; k++)
        {
            probability *= keysPerBlock / k;
            rate += probability * Math.Pow(1 - Math.Pow(31.0 / 32, k), SplitBlock.Lanes);
        }
        return rate;
    }
}

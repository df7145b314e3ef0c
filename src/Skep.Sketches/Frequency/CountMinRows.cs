using System.Runtime.CompilerServices;

namespace Skep.Sketches;

/// <summary>Where a hash falls in each row, and how large a table the wanted error needs.</summary>
internal static class CountMinRows
{
    public const int MaxDepth = 16;
    public const int MaxWidth = 1 << 28;

    // Odd multipliers, one a row: SplitMix64's first outputs, the lowest bit set. Multiply-shift of a good 64-bit hash gives rows whose
    // collisions have nothing to do with each other.
    private static readonly ulong[] Multipliers = MakeMultipliers();

    public static int Width(double epsilon)
    {
        if (!(epsilon is > 0 and < 1) || Math.E / epsilon > MaxWidth)
        {
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"the error is a part of all counts: above {Math.E / MaxWidth:0.0e0}, below 1");
        }
        return (int)Math.Ceiling(Math.E / epsilon);
    }

    public static int Depth(double delta)
    {
        if (!(delta is > 0 and < 1) || Math.Log(1 / delta) > MaxDepth)
        {
            throw new ArgumentOutOfRangeException(nameof(delta), delta, $"the chance of a larger error lies below 1 and above {Math.Exp(-MaxDepth):0.0e0}");
        }
        return Math.Max(1, (int)Math.Ceiling(Math.Log(1 / delta)));
    }

    /// <summary>The cell of a row, counted from the table's first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Cell(ulong hash, int row, uint width) => Cell(hash, Multipliers[row], row, width);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Cell(ulong hash, ulong multiplier, int row, uint width) =>
        (nuint)((((hash * multiplier) >> 32) * width) >> 32) + ((nuint)row * width);

    internal static ulong Multiplier(int row) => Multipliers[row];

    private static ulong[] MakeMultipliers()
    {
        ulong[] all = new ulong[MaxDepth];
        ulong state = 0;
        for (int i = 0; i < all.Length; i++)
        {
            ulong z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            all[i] = z ^ (z >> 31) | 1;
        }
        return all;
    }
}

namespace Skep.Sketches;

/// <summary>
/// Ertl's improved raw estimator (Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6): free
/// of bias over the whole range, without tables. The order of the floating-point operations is Redis's, so that the results are
/// equal to the last bit.
/// </summary>
internal static class RegisterEstimator
{
    public const int P = 14;
    public const int Registers = 1 << P;

    /// <summary>The bits of the hash that a register's value comes from.</summary>
    public const int Q = 64 - P;

    /// <summary>The largest value that a register can have.</summary>
    public const int MaxValue = Q + 1;

    // 1 / (2 ln 2): α for ever more registers.
    private const double AlphaInfinity = 0.721347520444481703680;

    public static long Count(ReadOnlySpan<byte> registers)
    {
        Span<int> histogram = stackalloc int[MaxValue + 1];
        histogram.Clear();
        foreach (byte value in registers)
        {
            histogram[value]++;
        }
        const double m = Registers;
        double z = m * Tau((m - histogram[MaxValue]) / m);
        for (int value = Q; value >= 1; value--)
        {
            z += histogram[value];
            z *= 0.5;
        }
        z += m * Sigma(histogram[0] / m);
        return (long)Math.Round(AlphaInfinity * m * m / z, MidpointRounding.AwayFromZero);
    }

    private static double Sigma(double x)
    {
        if (x == 1)
        {
            return double.PositiveInfinity;
        }
        double y = 1, z = x, before;
        do
        {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }
        while (z != before);
        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0 or 1)
        {
            return 0;
        }
        double y = 1, z = 1 - x, before;
        do
        {
            x = Math.Sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        while (z != before);
        return z / 3;
    }
}

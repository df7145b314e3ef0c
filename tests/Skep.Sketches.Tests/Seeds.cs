using System.Buffers.Binary;
using System.Numerics;

namespace Skep.Sketches.Tests;

/// <summary>Fixed seeds and keys: the same figures on every machine and in every run.</summary>
internal static class Seeds
{
    public static SketchSeed Number(int number)
    {
        Span<byte> bytes = stackalloc byte[SketchSeed.SizeBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return SketchSeed.FromBytes(bytes);
    }

    /// <summary>Key number <paramref name="i"/> of the family <paramref name="family"/>; no two are equal.</summary>
    public static ulong Key(int family, long i) => ((ulong)family << 40) | (ulong)i;

    /// <summary>Ranks drawn from 1 to <paramref name="keys"/> with a frequency of 1 / rank.</summary>
    public static IEnumerable<int> Zipf(int seed, int keys, int draws)
    {
        var random = new Random(seed);
        double[] upTo = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++)
        {
            upTo[i] = sum += 1.0 / (i + 1);
        }
        for (int i = 0; i < draws; i++)
        {
            int at = Array.BinarySearch(upTo, random.NextDouble() * sum);
            yield return Math.Min(keys - 1, at < 0 ? ~at : at);
        }
    }

    /// <summary>Bytes that look like nothing, always the same.</summary>
    public static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(static i => (byte)((i * 7) + 3))];

    public static double StandardDeviation(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    public static int Log2(int value) => BitOperations.Log2((uint)value);
}

using System.Diagnostics;
using System.Runtime.CompilerServices;
using Skep.Sketches;

namespace Skep.Bench.Sketches;

/// <summary>Nanoseconds for one Add of an 8-byte key, hash included, in cache.</summary>
internal static class AddBench
{
    private const int Adds = 10_000_000;
    private const int Batch = 1024;
    private const ulong Step = 0x9E3779B97F4A7C15;
    private static readonly ulong[] Keys = [.. Enumerable.Range(0, 1 << 14).Select(static i => (ulong)i * Step)];

    public static void Run(int rounds)
    {
        SketchSeed seed = SketchSeed.FromBytes(new byte[SketchSeed.SizeBytes]);
        foreach ((SketchSeed? s, string profile) in new[] { (null, "compatible"), (seed, "keyed") })
        {
            // Filled first, so that they are dense.
            var countMin = new CountMinSketch(0.001, 0.02, s);
            var distinct = new HyperLogLog(s);
            var filter = new BloomFilter(50_000, 0.01, s);
            CountMin(countMin);
            Distinct(distinct);
            Filter(filter);
            var all = new List<(double CountMin, double CountMinMany, double Distinct, double Filter, double FilterMany)>();
            for (int i = 0; i < rounds + 2; i++)
            {
                all.Add((CountMin(countMin), Many(keys => countMin.Add(keys)), Distinct(distinct), Filter(filter), Many(keys => filter.Add(keys))));
            }
            all.RemoveRange(0, 2);
            string wanted(string bar) => s is null ? $" (wanted: {bar})" : "";
            Console.WriteLine($"ns per add, {profile}: Count-Min, {countMin.Depth} rows of {countMin.Width}, {Machine.Median(all.Select(static a => a.CountMin)):0.0}, many keys a call {Machine.Median(all.Select(static a => a.CountMinMany)):0.0}{wanted("12")}; "
                + $"HyperLogLog, dense, {Machine.Median(all.Select(static a => a.Distinct)):0.0}{wanted("4")}; "
                + $"Bloom filter, {filter.SizeBytes / 1024} KiB, {Machine.Median(all.Select(static a => a.Filter)):0.0}, many keys a call {Machine.Median(all.Select(static a => a.FilterMany)):0.0}{wanted("3")}; median of {rounds}; load {Machine.Load}");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double CountMin(CountMinSketch sketch)
    {
        long began = Stopwatch.GetTimestamp();
        for (ulong i = 0; i < Adds; i++)
        {
            sketch.Add(i * Step);
        }
        return Stopwatch.GetElapsedTime(began).TotalNanoseconds / Adds;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Distinct(HyperLogLog sketch)
    {
        long began = Stopwatch.GetTimestamp();
        for (ulong i = 0; i < Adds; i++)
        {
            sketch.Add(i * Step);
        }
        return Stopwatch.GetElapsedTime(began).TotalNanoseconds / Adds;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Filter(BloomFilter filter)
    {
        long began = Stopwatch.GetTimestamp();
        for (ulong i = 0; i < Adds; i++)
        {
            filter.Add(i * Step);
        }
        return Stopwatch.GetElapsedTime(began).TotalNanoseconds / Adds;
    }

    // From an array, as whoever has many keys at hand has them.
    private static double Many(Action<ReadOnlySpan<ulong>> add)
    {
        long began = Stopwatch.GetTimestamp();
        for (int added = 0; added < Adds; added += Batch)
        {
            add(Keys.AsSpan(added & (Keys.Length - 1), Batch));
        }
        return Stopwatch.GetElapsedTime(began).TotalNanoseconds / Adds;
    }
}

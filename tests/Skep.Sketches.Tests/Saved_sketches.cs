using System.Buffers.Binary;
using CsCheck;

namespace Skep.Sketches.Tests;

/// <summary>Bytes come from disks, networks and strangers.</summary>
public sealed class Saved_sketches
{
    private static readonly Func<SketchSeed?, byte[]>[] Makers =
    [
        static seed =>
        {
            var sketch = new BloomFilter(100, seed: seed);
            sketch.Add("a");
            return sketch.ToBytes();
        },
        static seed =>
        {
            var sketch = new CountMinSketch(0.1, 0.1, seed);
            sketch.Add("a", 5);
            return sketch.ToBytes();
        },
        static seed =>
        {
            var sketch = new HeavyHitters(3, 0.1, 0.1, seed);
            foreach (string key in new[] { "a", "b", "a", "c", "d", "e", "e" })
            {
                sketch.Add(key);
            }
            return sketch.ToBytes();
        },
        static seed => Distinct(100, seed).ToBytes(),
        static seed => Distinct(9_000, seed).ToBytes(),
    ];

    [Fact]
    public void What_is_read_is_what_was_saved_in_both_profiles()
    {
        foreach (SketchSeed? seed in new[] { null, Seeds.Number(3) })
        {
            foreach (Func<SketchSeed?, byte[]> make in Makers)
            {
                byte[] bytes = make(seed);
                Assert.Equal(bytes, Again(bytes, seed));
            }
        }
    }

    [Fact]
    public void The_wrong_seed_or_none_is_refused_and_the_fingerprint_is_named()
    {
        foreach (Func<SketchSeed?, byte[]> make in Makers)
        {
            byte[] keyed = make(Seeds.Number(3));
            string fingerprint = $"{Seeds.Number(3).Fingerprint:x16}";
            Assert.Contains(fingerprint, Assert.Throws<SketchFormatException>(() => Again(keyed, null)).Message, StringComparison.Ordinal);
            Assert.Contains(fingerprint, Assert.Throws<SketchFormatException>(() => Again(keyed, Seeds.Number(4))).Message, StringComparison.Ordinal);
            Assert.Throws<SketchFormatException>(() => Again(make(null), Seeds.Number(3)));
        }
    }

    [Fact]
    public void Any_bit_that_flips_and_any_cut_is_found()
    {
        foreach (Func<SketchSeed?, byte[]> make in Makers)
        {
            byte[] whole = make(null);
            for (int i = 0; i < whole.Length; i += 1 + (whole.Length / 500))
            {
                byte[] flipped = [.. whole];
                flipped[i] ^= (byte)(1 << (i % 8));
                Assert.Throws<SketchFormatException>(() => Reread(flipped, Sketch.KindOf(whole)!.Value, null));
                Assert.Throws<SketchFormatException>(() => Reread(whole[..i], Sketch.KindOf(whole)!.Value, null));
            }
            Assert.Throws<SketchFormatException>(() => Reread([.. whole, 0], Sketch.KindOf(whole)!.Value, null));
        }
    }

    [Fact]
    public void Bytes_made_to_deceive_are_refused_or_harmless_however_right_their_checksum()
    {
        Gen.Select(Gen.Int[0, Makers.Length - 1], Gen.Int[0, 200], Gen.Byte, Gen.Int[0, 300], Gen.Byte).Sample(
            (maker, at, value, secondAt, secondValue) =>
            {
                byte[] bytes = Makers[maker](null);
                SketchKind kind = Sketch.KindOf(bytes)!.Value;
                bytes[24 + (at % (bytes.Length - 32))] = value;
                bytes[24 + (secondAt % (bytes.Length - 32))] = secondValue;
                Reseal(bytes);
                try
                {
                    Reread(bytes, kind, null);
                }
                catch (SketchFormatException)
                {
                    // Refused.
                }
            },
            iter: 20_000, seed: "0000000000001");
    }

    [Fact]
    public void Another_kind_or_version_is_named()
    {
        byte[] bytes = Makers[0](null);
        Assert.Contains("Bloom", Assert.Throws<SketchFormatException>(() => HyperLogLog.Parse(bytes)).Message, StringComparison.Ordinal);
        bytes[4] = 9;
        Reseal(bytes);
        Assert.Contains("version 9", Assert.Throws<SketchFormatException>(() => BloomFilter.Parse(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_above_the_sum_of_all_counts_is_refused()
    {
        byte[] bytes = Makers[1](null);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24 + 16), 6);
        Reseal(bytes);
        Assert.Throws<SketchFormatException>(() => CountMinSketch.Parse(bytes));
    }

    internal static HyperLogLog Distinct(int keys, SketchSeed? seed = null)
    {
        var sketch = new HyperLogLog(seed);
        for (int i = 0; i < keys; i++)
        {
            sketch.Add($"key {i}");
        }
        return sketch;
    }

    private static void Reseal(byte[] bytes) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - 8), XxHash64.Hash(bytes.AsSpan(0, bytes.Length - 8)));

    private static byte[] Again(byte[] bytes, SketchSeed? seed) => Reread(bytes, Sketch.KindOf(bytes)!.Value, seed);

    // Reads, uses a little, and saves again.
    private static byte[] Reread(byte[] bytes, SketchKind kind, SketchSeed? seed)
    {
        switch (kind)
        {
            case SketchKind.Bloom:
                BloomFilter bloom = BloomFilter.Parse(bytes, seed);
                bloom.Contains("x");
                return bloom.ToBytes();
            case SketchKind.CountMin:
                CountMinSketch countMin = CountMinSketch.Parse(bytes, seed);
                countMin.Estimate("x");
                return countMin.ToBytes();
            case SketchKind.HeavyHitters:
                HeavyHitters hitters = HeavyHitters.Parse(bytes, seed);
                hitters.Clone().Add("x");
                return hitters.ToBytes();
            default:
                HyperLogLog distinct = HyperLogLog.Parse(bytes, seed);
                distinct.Count();
                return distinct.ToBytes();
        }
    }
}

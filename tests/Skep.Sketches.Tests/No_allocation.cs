namespace Skep.Sketches.Tests;

public sealed class Operations_on_keys
{
    [Fact]
    public void Allocate_nothing()
    {
        var bloom = new BloomFilter(1000);
        var keyed = new BloomFilter(1000, seed: Seeds.Number(1));
        var counts = new CountMinSketch(0.01);
        var hitters = new HeavyHitters(10, 0.01);
        var distinct = new HyperLogLog();
        for (int i = 0; i < 10_000; i++)
        {
            distinct.Add(i);
        }
        string[] texts = [.. Enumerable.Range(0, 100).Select(static i => $"a text as key, number {i}"), new string('ü', 2000)];
        byte[] bytes = Seeds.Bytes(40);
        for (int i = 0; i < 10; i++)
        {
            // As long as any key to come, so that those find buffers.
            hitters.Add(Enumerable.Repeat((byte)i, 64).ToArray());
        }
        Use();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 20; round++)
        {
            Use();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Use()
        {
            foreach (string text in texts)
            {
                bloom.Add(text);
                bloom.Contains(text);
                keyed.Add(text);
                counts.Add(text);
                counts.Estimate(text);
                if (text.Length < 64)
                {
                    hitters.Add(text);
                }
                distinct.Add(text);
            }
            for (int i = 0; i < 100; i++)
            {
                bytes[0] = (byte)i;
                bloom.Add(bytes);
                keyed.Contains(bytes);
                counts.Add(bytes);
                hitters.Add(bytes);
                distinct.Add(bytes);
                bloom.Add(i);
                counts.Add(i);
                hitters.Add(i);
                distinct.Add(i);
            }
            distinct.Count();
        }
    }
}

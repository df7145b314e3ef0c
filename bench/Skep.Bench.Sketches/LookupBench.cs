using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Skep.Sketches;

namespace Skep.Bench.Sketches;

/// <summary>Lookups in our filter and in the C++ one, in turn; both must find the same number of keys.</summary>
internal static class LookupBench
{
    // Lookups are a multiple of it.
    private const int Batch = 256;
    private const ulong Step = 0x9E3779B97F4A7C15;

    public static void Run(int pairs)
    {
        string? compiler = Machine.Find("clang++", "g++");
        if (compiler is null)
        {
            Console.WriteLine("lookups beside C++: left out, there is neither clang++ nor g++ here (apt-get install clang)");
            return;
        }
        string program = Path.Combine(Path.GetTempPath(), $"skep-splitblock-{Environment.ProcessId}");
        Machine.Run($"{compiler} -O3 -march=native -o {program} {Path.Combine(AppContext.BaseDirectory, "splitblock.cpp")}");
        try
        {
            Pair(program, compiler, "in cache", keys: 50_000, lookups: 20_480_000, pairs);
            Pair(program, compiler, "out of cache", keys: 200_000_000, lookups: 20_480_000, pairs);
        }
        finally
        {
            File.Delete(program);
        }
    }

    private static void Pair(string program, string compiler, string where, long keys, long lookups, int pairs)
    {
        var filter = new BloomFilter(keys, 0.01);
        for (long i = 0; i < keys; i++)
        {
            filter.Add((ulong)i * Step);
        }
        using Process peer = Process.Start(new ProcessStartInfo(program, [$"{filter.SizeBytes / 32}", $"{keys}", $"{lookups}"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var ours = new List<double>();
        var single = new List<double>();
        var theirs = new List<double>();
        ulong from = 0;
        const int warmUps = 3;
        for (int i = 0; i < pairs + warmUps; i++)
        {
            ulong fromSingle = from;
            double alone = OneByOne(filter, (ulong)keys, lookups, fromSingle);
            double seconds = Ours(filter, (ulong)keys, lookups, ref from, out long hits);
            peer.StandardInput.WriteLine();
            peer.StandardInput.Flush();
            string[] answer = peer.StandardOutput.ReadLine()!.Split(' ');
            if (long.Parse(answer[1], CultureInfo.InvariantCulture) != hits)
            {
                throw new InvalidOperationException($"ours found {hits} keys, C++ {answer[1]}: the filters differ");
            }
            if (i >= warmUps)
            {
                ours.Add(lookups / seconds / 1e6);
                single.Add(lookups / alone / 1e6);
                theirs.Add(lookups / double.Parse(answer[0], CultureInfo.InvariantCulture) / 1e6);
            }
        }
        peer.StandardInput.Close();
        peer.WaitForExit();
        double ratio = Machine.Median(ours.Zip(theirs, static (a, b) => a / b));
        Console.WriteLine($"lookups {where} ({filter.SizeBytes / 1024.0 / 1024:0.0} MiB): ours, many keys a call, {Machine.Median(ours):0.0} M/s, C++ ({compiler} -O3 -march=native) {Machine.Median(theirs):0.0} M/s, ratio {ratio:0.00} (wanted: 0.95; median of {pairs} pairs); one key a call {Machine.Median(single):0.0} M/s, {Machine.Median(single.Zip(theirs, static (a, b) => a / b)):0.00}; load {Machine.Load}");
    }

    // Many keys a call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Ours(BloomFilter filter, ulong keys, long lookups, ref ulong from, out long hits)
    {
        long began = Stopwatch.GetTimestamp();
        Span<ulong> batch = stackalloc ulong[Batch];
        Span<bool> found = stackalloc bool[Batch];
        hits = 0;
        ulong i = from;
        for (long n = 0; n < lookups; n += Batch)
        {
            for (int b = 0; b < batch.Length; b++)
            {
                batch[b] = i * Step;
                if (++i == 2 * keys)
                {
                    i = 0;
                }
            }
            hits += filter.Contains(batch, found);
        }
        from = i;
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    // One key a call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double OneByOne(BloomFilter filter, ulong keys, long lookups, ulong i)
    {
        long began = Stopwatch.GetTimestamp();
        long found = 0;
        for (long n = 0; n < lookups; n++)
        {
            found += Unsafe.BitCast<bool, byte>(filter.Contains(i * Step));
            if (++i == 2 * keys)
            {
                i = 0;
            }
        }
        GC.KeepAlive(found);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}

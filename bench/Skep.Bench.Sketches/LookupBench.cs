using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Skep.Sketches;

namespace Skep.Bench.Sketches;

/// <summary>Lookups in our filter and in the C++ one, in turn; both must find the same number of keys.</summary>
internal static class LookupBench
{
    // The keys asked for are a multiple of it.
    private const int Batch = 1024;
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
            Pair(program, compiler, "in cache", keys: 50_000, asked: 1 << 14, passes: 1_000, pairs);
            Pair(program, compiler, "out of cache", keys: 200_000_000, asked: 1 << 23, passes: 1, pairs);
        }
        finally
        {
            File.Delete(program);
        }
    }

    private static void Pair(string program, string compiler, string where, long keys, int asked, int passes, int pairs)
    {
        double lookups = (double)asked * passes;
        ulong[] array = new ulong[asked];
        for (ulong i = 0; i < (ulong)asked; i++)
        {
            // Half of them are in the filter.
            array[i] = i * 7919 % (2 * (ulong)keys) * Step;
        }
        var filter = new BloomFilter(keys, 0.01);
        for (long i = 0; i < keys; i++)
        {
            filter.Add((ulong)i * Step);
        }
        using Process peer = Process.Start(new ProcessStartInfo(program, [$"{filter.SizeBytes / 32}", $"{keys}", $"{asked}", $"{passes}"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var ours = new List<double>();
        var single = new List<double>();
        var theirs = new List<double>();
        const int warmUps = 3;
        for (int i = 0; i < pairs + warmUps; i++)
        {
            double alone = OneByOne(filter, array, passes);
            double seconds = ManyACall(filter, array, passes, out long hits);
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double ManyACall(BloomFilter filter, ulong[] keys, int passes, out long hits)
    {
        long began = Stopwatch.GetTimestamp();
        bool[] found = new bool[Batch];
        hits = 0;
        for (int pass = 0; pass < passes; pass++)
        {
            for (int at = 0; at < keys.Length; at += Batch)
            {
                hits += filter.Contains(keys.AsSpan(at, Batch), found);
            }
        }
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double OneByOne(BloomFilter filter, ulong[] keys, int passes)
    {
        long began = Stopwatch.GetTimestamp();
        long found = 0;
        for (int pass = 0; pass < passes; pass++)
        {
            foreach (ulong key in keys)
            {
                found += Unsafe.BitCast<bool, byte>(filter.Contains(key));
            }
        }
        GC.KeepAlive(found);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}

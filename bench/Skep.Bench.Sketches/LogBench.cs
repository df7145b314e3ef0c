using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Skep.Bench.Sketches;

/// <summary>The published swarmctl beside coreutils on one log, whole processes, the file in the page cache.</summary>
internal static class LogBench
{
    private const int Paths = 2_000_000;

    public static void Run(int megabytes, int pairs, int sorts)
    {
        string folder = Environment.GetEnvironmentVariable("SKEP_BIN") ?? Path.Combine(Root(), "bin");
        string swarmctl = Path.Combine(folder, "swarmctl");
        if (!File.Exists(swarmctl))
        {
            Console.WriteLine($"beside coreutils: left out, there is no swarmctl in {folder} (./run --build makes it; SKEP_BIN names another folder)");
            return;
        }
        string log = Path.Combine(Path.GetTempPath(), $"skep-sketches-{Environment.ProcessId}.log");
        string sorting = Directory.CreateTempSubdirectory("skep-sort-").FullName;
        try
        {
            Write(log, (long)megabytes * 1024 * 1024);
            Machine.Run($"cat {log} > /dev/null");
            Wc(swarmctl, log, megabytes, pairs);
            Sort(swarmctl, log, sorting, sorts);
        }
        finally
        {
            File.Delete(log);
            Directory.Delete(sorting, recursive: true);
        }
    }

    private static void Wc(string swarmctl, string log, int megabytes, int pairs)
    {
        var lines = new List<double>();
        var distinct = new List<double>();
        var wc = new List<double>();
        double peak = 0;
        for (int i = 0; i < pairs; i++)
        {
            wc.Add(Machine.Run($"exec wc -l {log}").Seconds);
            lines.Add(Machine.Run($"exec {swarmctl} sketch lines {log}").Seconds);
            (double seconds, _, double mib) = Machine.Run($"exec {swarmctl} sketch distinct {log}");
            distinct.Add(seconds);
            peak = Math.Max(peak, mib);
        }
        Console.WriteLine($"wc -l: {Speed(megabytes, wc)}; sketch lines: {Speed(megabytes, lines)}, {Machine.Median(wc.Zip(lines, static (a, b) => a / b)):0.00}x of wc (wanted: 0.5); "
            + $"sketch distinct: {Speed(megabytes, distinct)}, {Machine.Median(wc.Zip(distinct, static (a, b) => a / b)):0.00}x of wc (wanted: 0.15), {peak:0.0} MiB (wanted: under 32); median of {pairs}; load {Machine.Load}");
    }

    private static void Sort(string swarmctl, string log, string folder, int runs)
    {
        var distinct = new List<double>();
        var top = new List<double>();
        string words = "";
        for (int i = 0; i < runs; i++)
        {
            (double ours, string estimate, _) = Machine.Run($"exec {swarmctl} sketch distinct --format json {log}");
            (double theirs, string exact, _) = Machine.Run($"sort -T {folder} -u {log} | wc -l");
            distinct.Add(theirs / ours);
            double guess = JsonDocument.Parse(estimate).RootElement.GetProperty("distinct").GetDouble(), truth = double.Parse(exact, CultureInfo.InvariantCulture);
            words = $"sort -u | wc -l: {theirs:0.0} s, sketch distinct: {ours:0.00} s; {guess:0} for {truth:0}, {(guess / truth) - 1:+0.00 %;-0.00 %}";
        }
        Console.WriteLine($"{words}; {Machine.Median(distinct):0}x faster (wanted: 20; median of {runs}); load {Machine.Load}");
        double peak = 0;
        for (int i = 0; i < runs; i++)
        {
            (double ours, string found, double mib) = Machine.Run($"exec {swarmctl} sketch top --format json {log}");
            (double theirs, string exact, _) = Machine.Run($"sort -T {folder} {log} | uniq -c | sort -T {folder} -rn | head");
            top.Add(theirs / ours);
            peak = Math.Max(peak, mib);
            HashSet<string> truth = [.. exact.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static l => l.TrimStart().Split(' ', 2)[1])];
            int right = JsonDocument.Parse(found).RootElement.GetProperty("top").EnumerateArray().Count(e => truth.Contains(e.GetProperty("key").GetString()!));
            words = $"sort | uniq -c | sort -rn | head: {theirs:0.0} s, sketch top: {ours:0.00} s; {right} of {truth.Count} keys the same";
        }
        Console.WriteLine($"{words}; {Machine.Median(top):0}x faster (wanted: 20; median of {runs}), {peak:0.0} MiB (wanted: under 32); load {Machine.Load}");
    }

    private static string Speed(int megabytes, List<double> seconds) => $"{megabytes / 1024.0 / Machine.Median(seconds):0.00} GiB/s";

    // Requests as a web server logs them: a path is asked for with a frequency of 1 / rank, so that most lines came before and many never do again.
    private static void Write(string path, long bytes)
    {
        var random = new Random(1);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        byte[] line = new byte[256];
        for (long written = 0; written < bytes;)
        {
            int rank = (int)Math.Exp(random.NextDouble() * Math.Log(Paths));
            string text = $"GET /shop/{rank % 97}/items/{rank}/detail?campaign=autumn-{rank % 977}&page={rank % 7} HTTP/1.1 200 {rank * 37L % 100_000}\n";
            int length = Encoding.ASCII.GetBytes(text, line);
            file.Write(line, 0, length);
            written += length;
        }
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Skep.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? Environment.CurrentDirectory;
    }
}

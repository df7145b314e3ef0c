using System.Text;
using System.Text.Json;
using Swarmctl.Connection;

namespace Swarmctl.Tests.Sketches;

/// <summary>What the notes wanted sketches for, from the command line; no manager is near.</summary>
public sealed class SketchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("swarmctl-sketch-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Distinct_lines_are_counted_with_bounds_from_standard_input_and_from_files()
    {
        string lines = string.Concat(Enumerable.Range(0, 5_000).Select(static i => $"line {i % 1000}\n"));
        using JsonDocument answer = JsonDocument.Parse(await OutputAsync(lines, "sketch", "distinct", "--format", "json"));
        Assert.InRange(answer.RootElement.GetProperty("distinct").GetInt64(), 980, 1020);
        Assert.InRange(1000, answer.RootElement.GetProperty("at_least_95").GetInt64(), answer.RootElement.GetProperty("at_most_95").GetInt64());
        Assert.Equal(5_000, answer.RootElement.GetProperty("lines").GetInt64());
        Assert.Equal(await OutputAsync(lines, "sketch", "distinct"), await OutputAsync("", "sketch", "distinct", WriteFile("log", lines)));
    }

    [Fact]
    public async Task Days_are_saved_and_merged_and_compared()
    {
        await OutputAsync(Numbers(0, 10_000), "sketch", "distinct", "-o", At("day1.hll"));
        await OutputAsync(Numbers(5_000, 15_000), "sketch", "distinct", "-o", At("day2.hll"), "--redis");
        Assert.Equal("HYLL", Encoding.ASCII.GetString(await File.ReadAllBytesAsync(At("day2.hll")))[..4]);
        string merged = await OutputAsync("", "sketch", "merge", At("day1.hll"), At("day2.hll"), "-o", At("both.hll"));
        Assert.Equal(await TableOfAsync(Numbers(0, 15_000)), merged);
        Assert.Equal(merged, await OutputAsync("", "sketch", "distinct", "--from", At("both.hll")));
        using JsonDocument common = JsonDocument.Parse(await OutputAsync("", "sketch", "common", At("day1.hll"), At("day2.hll"), "--format", "json"));
        Assert.InRange(5_000, common.RootElement.GetProperty("at_least_95").GetInt64(), common.RootElement.GetProperty("at_most_95").GetInt64());

        Task<string> TableOfAsync(string lines) => OutputAsync(lines, "sketch", "distinct");
    }

    [Fact]
    public async Task The_most_frequent_values_of_a_column_are_shown_with_what_the_others_have_at_most()
    {
        string csv = "ip,url\n" + string.Concat(Enumerable.Range(1, 50).SelectMany(static i => Enumerable.Repeat($"10.0.0.{i},\"/page/{i}\"\n", i)));
        string output = await OutputAsync(csv, "sketch", "top", "-k", "2", "--csv", "url");
        Assert.Equal(
            """
            At least  At most  Key
            --------  -------  ---
            50        50       /page/50
            49        49       /page/49
            No other key was counted more often than 48 times, of 1,275 in all.

            """,
            output);
        Assert.Contains("no column \"host\"", await ErrorAsync(csv, "sketch", "top", "--csv", "host"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_often_keys_occur_is_asked_now_or_later()
    {
        string json = string.Concat(Enumerable.Range(0, 300).Select(static i => $$$"""{"who":{"name":"user {{{i % 3}}}"}}""" + "\n")) + "no json\n";
        string first = await OutputAsync(json, "sketch", "freq", "--json", "who.name", "--key", "user 1", "-o", At("day.cm"), "--format", "json");
        Assert.StartsWith("""{"keys":[{"key":"user 1","at_least":99,"at_most":100}]""", first, StringComparison.Ordinal);
        Assert.Contains("\"lines_without_key\":1", first, StringComparison.Ordinal);
        string later = await OutputAsync("", "sketch", "freq", "--from", At("day.cm"), "--key", "user 2", "--key", "nobody", "--format", "json");
        Assert.StartsWith("""{"keys":[{"key":"user 2","at_least":99,"at_most":100},{"key":"nobody","at_least":0,"at_most":0}]""", later, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_whose_text_is_none_have_no_key()
    {
        string json = """
            {"a":"\ud800 half a pair"}
            {"\ud800":1,"a":"x"}
            a line of another program

             {"a":"good"}

            """;
        string answer = await OutputAsync(json, "sketch", "top", "--json", "a", "--format", "json");
        Assert.Equal("""{"top":[{"key":"good","at_least":1,"at_most":1}],"others_at_most":0,"total":1,"lines":5,"lines_without_key":4}""" + "\n", answer);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("300000000")]
    public async Task More_keys_than_can_be_shown_or_none_are_refused(string count) =>
        Assert.Equal($"Error: --count {count}: expected 1 to 1000000\n", await ErrorAsync("a\n", "sketch", "top", "-k", count));

    [Fact]
    public async Task Files_that_seem_to_be_empty_are_read()
    {
        Assert.Equal("1\n", await OutputAsync("", "sketch", "lines", "/proc/version"));
        Assert.Equal("0\n", await OutputAsync("", "sketch", "lines", WriteFile("empty", "")));
    }

    [Fact]
    public async Task A_sketch_that_cannot_be_saved_leaves_nothing_behind()
    {
        Directory.CreateDirectory(At("taken"));
        Assert.Contains("cannot be written", await ErrorAsync("a\n", "sketch", "distinct", "-o", At("taken")), StringComparison.Ordinal);
        Assert.Equal([At("taken")], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public async Task A_crawler_learns_which_URLs_are_new()
    {
        await OutputAsync("/a\n/b\n", "sketch", "bloom", "-o", At("seen"), "--keys", "1000", "--rate", "0.0001");
        Assert.Equal("/c\n/d\n", await OutputAsync("/a\n/c\n/d\n/c\n", "sketch", "bloom", "--against", At("seen"), "--invert", "--learn"));
        Assert.Equal("/d\n", await OutputAsync("/d\n/e\n", "sketch", "bloom", "--against", At("seen")));
    }

    [Fact]
    public async Task A_key_is_looked_up_in_the_partitions_that_may_hold_it()
    {
        await OutputAsync("a\nb\n", "sketch", "bloom", "-o", At("p1"));
        await OutputAsync("b\nc\n", "sketch", "bloom", "-o", At("p2"));
        Assert.Equal($"a\t{At("p1")}\nb\t{At("p1")}\t{At("p2")}\n", await OutputAsync("a\nb\nz\n", "sketch", "bloom", "--against", At("p1"), "--against", At("p2")));
    }

    [Fact]
    public async Task Keyed_sketches_want_their_seed_back()
    {
        await OutputAsync("a\n", "sketch", "bloom", "-o", At("filter"), "--seed-file", At("seed"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("seed")));
        Assert.Equal("a\n", await OutputAsync("a\n", "sketch", "bloom", "--against", At("filter"), "--seed-file", At("seed")));
        Assert.Contains("seed", await ErrorAsync("a\n", "sketch", "bloom", "--against", At("filter")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        await OutputAsync("a\n", "sketch", "distinct", "-o", At("hll"));
        await OutputAsync("a\n", "sketch", "top", "-o", At("top"));
        Assert.Contains("not HyperLogLog", await ErrorAsync("", "sketch", "merge", At("hll"), At("top")), StringComparison.Ordinal);
        Assert.Contains("cannot be read", await ErrorAsync("", "sketch", "distinct", At("missing")), StringComparison.Ordinal);
        Assert.Contains("is no saved sketch", await ErrorAsync("", "sketch", "merge", WriteFile("text", "text")), StringComparison.Ordinal);
        Assert.Contains("-o", await ErrorAsync("", "sketch", "bloom"), StringComparison.Ordinal);
        Assert.Contains("exclude", await ErrorAsync("", "sketch", "top", "--csv", "1", "--json", "a"), StringComparison.Ordinal);
        Assert.Contains("epsilon", await ErrorAsync("", "sketch", "freq", "--epsilon", "7"), StringComparison.Ordinal);
    }

    private static string Numbers(int from, int to) => string.Concat(Enumerable.Range(from, to - from).Select(static i => $"{i}\n"));

    private string At(string name) => Path.Combine(folder, name);

    private string WriteFile(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    private static async Task<string> OutputAsync(string input, params string[] args)
    {
        (int exitCode, string output, string error) = await RunAsync(input, args);
        Assert.Equal("", error);
        Assert.Equal(0, exitCode);
        return output;
    }

    private static async Task<string> ErrorAsync(string input, params string[] args)
    {
        (int exitCode, _, string error) = await RunAsync(input, args);
        Assert.Equal(Verb.FailureExitCode, exitCode);
        return error;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string input, string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var keys = new MemoryStream();
        int exitCode = await CommandTree.RunAsync(args, new Surroundings
        {
            Input = new MemoryStream(Encoding.UTF8.GetBytes(input)),
            Output = output,
            Error = error,
            ErrorIsTerminal = static () => false,
            KeyOutput = () => keys,
        });
        return (exitCode, output.ToString() + Encoding.UTF8.GetString(keys.ToArray()), error.ToString());
    }
}

using System.Collections.Concurrent;
using System.Text;
using Swarmctl.Sketches.Reading;

namespace Swarmctl.Tests.Sketches;

/// <summary>Every line reaches exactly one worker, whole, however the reading is cut.</summary>
public sealed class ReadingTests
{
    [Theory]
    [InlineData(1, 60), InlineData(2, 300), InlineData(3, 20_000), InlineData(4, 600_000)]
    public void Workers_together_take_each_line_of_a_file_once(int seed, int longest)
    {
        // Three segments, with empty lines, and lines that begin at a segment's first byte or end at its last.
        byte[] bytes = Lines(seed, longest, (int)(LineFile.SegmentBytes * 2.5));
        bytes[LineFile.SegmentBytes - 1] = (byte)'\n';
        bytes[(LineFile.SegmentBytes * 2) - 1] = (byte)'x';
        bytes[LineFile.SegmentBytes * 2] = (byte)'\n';
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, bytes);
            using var file = new LineFile(File.OpenHandle(path), bytes.Length, 0);
            Check(bytes, feeder => feeder.FeedFiles([file]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(5, 60), InlineData(6, 3_000), InlineData(7, 600_000)]
    public void Workers_together_take_each_line_of_a_stream_once(int seed, int longest)
    {
        byte[] bytes = Lines(seed, longest, 5_000_000);
        Check(bytes, feeder => feeder.FeedStream(new Trickle(bytes[1000..], seed), bytes.AsSpan(0, 1000)));
    }

    [Fact]
    public void A_line_without_end_is_refused_and_nobody_waits_for_ever()
    {
        byte[] bytes = new byte[3 * LineBuffer.MaxBytes];
        var progress = new Progress(TextWriter.Null, show: false, 0);
        var consumer = new LineConsumer<WholeLine, Collect>(default, new Collect([]));
        Assert.Contains("longer than", Assert.Throws<UserException>(() => new Feeder([consumer], progress).FeedStream(new MemoryStream(bytes), [])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a,b,c", 1, "b")]
    [InlineData("a,b,c\r", 2, "c")]
    [InlineData("a,,c", 1, "")]
    [InlineData("a,b", 2, null)]
    [InlineData("", 0, "")]
    [InlineData("\"x,y\",b", 0, "x,y")]
    [InlineData("\"x,y\",b", 1, "b")]
    [InlineData("a,\"say \"\"hi\"\"\"", 1, "say \"hi\"")]
    [InlineData("\"\",b", 0, "")]
    [InlineData("\"a\"\"\",b", 1, "b")]
    public void A_column_is_read_as_RFC_4180_has_it(string line, int column, string? expected)
    {
        bool found = new CsvField(column, (byte)',').TryRead(Encoding.UTF8.GetBytes(line), out ReadOnlySpan<byte> key);
        Assert.Equal(expected, found ? Encoding.UTF8.GetString(key) : null);
    }

    [Theory]
    [InlineData("\"open,b")]
    [InlineData("\"a\"x,b")]
    public void A_column_that_is_not_well_formed_is_refused(string line) =>
        Assert.Throws<UserException>(() => new CsvField(1, (byte)',').TryRead(Encoding.UTF8.GetBytes(line), out _));

    [Theory]
    [InlineData("""{"a":1,"b":"x"}""", "b", "x")]
    [InlineData("""{"a":{"b":"no"},"b":"x"}""", "b", "x")]
    [InlineData("""{"a":{"c":[1,{"b":2}],"b":3.50}}""", "a.b", "3.50")]
    [InlineData("""{"b":"gr\u00fc\n"}""", "b", "grü\n")]
    [InlineData("""{"b":true}""", "b", "true")]
    [InlineData("""{"b":null}""", "b", null)]
    [InlineData("""{"b":[1]}""", "b", null)]
    [InlineData("""{"b":1}""", "b.c", null)]
    [InlineData("""{"a":1}""", "b", null)]
    [InlineData("""{"a":""", "b", null)]
    [InlineData("[1]", "b", null)]
    [InlineData("", "b", null)]
    public void A_field_of_JSON_lines_is_read_by_its_path(string line, string path, string? expected)
    {
        bool found = new JsonField(path).TryRead(Encoding.UTF8.GetBytes(line), out ReadOnlySpan<byte> key);
        Assert.Equal(expected, found ? Encoding.UTF8.GetString(key) : null);
    }

    private static byte[] Lines(int seed, int longest, int total)
    {
        var random = new Random(seed);
        byte[] bytes = new byte[total];
        for (int i = 0; i < total; i++)
        {
            bytes[i] = (byte)('a' + (i % 23));
        }
        for (int end = random.Next(longest); end < total - 1; end += 1 + random.Next(longest))
        {
            bytes[end] = (byte)'\n';
        }
        return bytes;
    }

    private static void Check(byte[] bytes, Action<Feeder> feed)
    {
        var taken = new ConcurrentBag<string>();
        LineConsumer<WholeLine, Collect>[] consumers = [.. Enumerable.Range(0, 3).Select(_ => new LineConsumer<WholeLine, Collect>(default, new Collect(taken)))];
        using (var progress = new Progress(TextWriter.Null, show: false, bytes.Length))
        {
            feed(new Feeder(consumers, progress));
        }
        string[] expected = Encoding.ASCII.GetString(bytes).Split('\n');
        expected = expected[^1].Length == 0 ? expected[..^1] : expected;
        Assert.Equal(expected.Length, consumers.Sum(static c => c.Lines));
        Assert.True(expected.Order(StringComparer.Ordinal).SequenceEqual(taken.Order(StringComparer.Ordinal)), "a line was lost, torn or taken twice");
    }

    private readonly struct Collect(ConcurrentBag<string> taken) : IKeySink
    {
        public bool TryTake(ReadOnlySpan<byte> key)
        {
            taken.Add(Encoding.ASCII.GetString(key));
            return true;
        }
    }

    // Gives as little at a time as a pipe may.
    private sealed class Trickle(byte[] bytes, int seed) : MemoryStream(bytes)
    {
        private readonly Random random = new(seed);

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1 + random.Next(70_000))]);
    }
}

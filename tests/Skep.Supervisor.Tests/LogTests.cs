using System.Text;
using CsCheck;
using Skep.Supervisor.Logs;
using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class LogTests
{
    [Fact]
    public async Task The_bound_of_a_log_is_kept_and_its_end_is_what_stays()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "seq 1 200000") with { LogMaxBytes = 256 * 1024 });
        var size = Directory.EnumerateFiles(h.StateDir + "/processes/t", "log.*").Sum(path => new FileInfo(path).Length);
        Assert.InRange(size, 128 * 1024, 256 * 1024);
        var lines = (await h.LogOf("t")).Trim().Split('\n');
        Assert.Equal("200000", lines[^1]);
        Assert.Equal(Enumerable.Range(200_001 - lines.Length, lines.Length), lines.Select(int.Parse));
    }

    [Fact]
    public async Task Tail_and_since_choose()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "seq 1 100; echo noise >&2"));
        Assert.Equal("99\n100\n", await h.LogOf("t", new LogRequest("t", Stderr: false, Tail: 2)));
        Assert.Equal("", await h.LogOf("t", new LogRequest("t", Tail: 0)));
        var inAnHour = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3600) * 1_000_000_000;
        Assert.Equal("", await h.LogOf("t", new LogRequest("t", SinceUnixNs: inAnHour)));
    }

    [Fact]
    public async Task A_follower_sees_lines_as_they_come_and_ends_with_the_task()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "trap 'echo last; exit' TERM; echo first; while :; do sleep 0.01; done"), h.Ct);
        var text = "";
        await foreach (var entry in h.Client.ReadLogAsync(new LogRequest("t", Follow: true), h.Ct))
        {
            text += Encoding.UTF8.GetString(entry.Data);
            if (text == "first\n")
            {
                await h.Client.StopAsync("t", 0, 20_000, h.Ct);
            }
        }
        Assert.Equal("first\nlast\n", text);
    }

    [Fact]
    public async Task A_follower_that_does_not_read_costs_the_supervisor_no_memory_and_the_task_no_time()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "read x < /proc/self/stat; seq 1 2000000; echo done") with { LogMaxBytes = 256 * 1024 }, h.Ct);
        var reader = h.Client.ReadLogAsync(new LogRequest("t", Follow: true), h.Ct).GetAsyncEnumerator(h.Ct);
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(0, (await h.EndOf("t")).ExitCode);
        var status = File.ReadAllLines($"/proc/{await h.SupervisorPid()}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        Assert.True(long.Parse(status.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) < 150_000, status);
        await reader.DisposeAsync();
    }

    [Fact]
    public void Lines_come_whole_however_the_bytes_are_cut()
    {
        Gen.Select(Gen.Byte[0, 20].Select(b => b == 0 ? (byte)'\n' : b).Array[0, 300], Gen.Int[1, 50].Array[1, 20]).Sample((bytes, cuts) =>
        {
            var splitter = new LineSplitter();
            var records = new List<byte[]>();
            void Add(ReadOnlySpan<byte> record) => records.Add(record.ToArray());
            for (int at = 0, cut = 0; at < bytes.Length; cut++)
            {
                var size = Math.Min(cuts[cut % cuts.Length], bytes.Length - at);
                splitter.Feed(bytes.AsSpan(at, size), Add);
                at += size;
            }
            splitter.Flush(Add);
            return records.SelectMany(r => r).SequenceEqual(bytes)
                && records.SkipLast(1).All(r => r[^1] == '\n' && r.AsSpan().IndexOf((byte)'\n') == r.Length - 1);
        });
    }

    [Fact]
    public void A_line_without_end_is_cut_at_the_bound_of_a_record()
    {
        var splitter = new LineSplitter();
        var sizes = new List<int>();
        void Add(ReadOnlySpan<byte> record) => sizes.Add(record.Length);
        splitter.Feed(new byte[10_000], Add);
        splitter.Feed(new byte[30_000], Add);
        splitter.Flush(Add);
        Assert.Equal([LineSplitter.MaxRecordBytes, LineSplitter.MaxRecordBytes, 40_000 - (2 * LineSplitter.MaxRecordBytes)], sizes);
    }

    [Fact]
    public void Half_a_record_that_a_kill_left_is_passed_over()
    {
        var folder = Directory.CreateTempSubdirectory("skep-log-").FullName;
        try
        {
            using (var log = new LogAppender(folder, 1024 * 1024))
            {
                log.Add(LogFormat.Stdout, 1, "whole\n"u8);
            }
            using (var torn = File.Open(LogFormat.PathOf(folder, 0), FileMode.Append))
            {
                torn.Write([1, 2, 3]);
            }
            using (var log = new LogAppender(folder, 1024 * 1024))
            {
                log.Add(LogFormat.Stdout, 2, "next\n"u8);
            }
            using var cursor = new LogCursor(folder);
            var texts = new List<string>();
            while (cursor.TryNext(out _, out _, out var record))
            {
                texts.Add(Encoding.UTF8.GetString(record));
            }
            Assert.Equal(["whole\n", "next\n"], texts);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using Microsoft.Extensions.Time.Testing;
using Skep.Coordination.Auditing;

namespace Skep.Coordination.Tests.Auditing;

public sealed class The_file_of_the_audit_log : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-audit-").FullName;
    private readonly KeptLog _log = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 10, 0, 0, 5, TimeSpan.Zero));

    private string Path => System.IO.Path.Combine(_folder, "audit.log");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Lines_come_behind_those_that_are_there_with_their_time()
    {
        await File.WriteAllTextAsync(Path, "before\n", TestContext.Current.CancellationToken);
        await WriteAsync("one", "two");
        Assert.Equal("before\n2026-11-30T10:00:00.005Z\tone\n2026-11-30T10:00:00.005Z\ttwo\n", await ReadAsync());
    }

    [Fact]
    public async Task Others_may_not_read_it()
    {
        await WriteAsync("one");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path));
    }

    [Fact]
    public async Task It_can_be_moved_away_meanwhile()
    {
        await using var file = new AuditFile(Path, _time, _log);
        File.Move(Path, Path + ".1");
        file.Add("one");
        await file.DisposeAsync();
        Assert.Equal(("", "2026-11-30T10:00:00.005Z\tone\n"), (await File.ReadAllTextAsync(Path + ".1", TestContext.Current.CancellationToken), await ReadAsync()));
    }

    [Fact]
    public async Task What_a_full_disk_did_not_take_is_counted_once_it_can_be()
    {
        File.CreateSymbolicLink(Path, "/dev/full");
        var file = new AuditFile(Path, _time, _log);
        file.Add("lost");
        await Until(() => _log.Lines.Count > 0);
        Assert.StartsWith($"Error: The audit log {Path} cannot be written to: No space left on device", _log.Lines[0], StringComparison.Ordinal);
        File.Delete(Path);
        file.Add("one");
        await file.DisposeAsync();
        Assert.Equal("\n2026-11-30T10:00:00.005Z\toperation=auditLinesLost\tlines=1\tresult=failure\n2026-11-30T10:00:00.005Z\tone\n", await ReadAsync());
    }

    [Fact]
    public void A_file_that_cannot_be_written_to_is_said_at_once()
    {
        Assert.Throws<DirectoryNotFoundException>(() => new AuditFile(System.IO.Path.Combine(_folder, "no", "audit.log"), _time, _log));
        Assert.Throws<UnauthorizedAccessException>(() => new AuditFile(_folder, _time, _log));
    }

    private static async Task Until(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!isSo())
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    private async Task WriteAsync(params string[] lines)
    {
        var file = new AuditFile(Path, _time, _log);
        Array.ForEach(lines, file.Add);
        await file.DisposeAsync();
    }

    private Task<string> ReadAsync() => File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken);
}

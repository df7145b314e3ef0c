using Microsoft.Extensions.Logging.Abstractions;
using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Host;

public sealed class LogWriterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Whoever_closes_it_while_it_writes_does_not_go_on_on_the_logs_own_thread()
    {
        using var folder = new TemporaryFolder();
        var options = new LogEngineOptions(new DataKeys(new byte[32], [])) { SegmentSizeBytes = 1 << 20 };
        using var log = RaftLog.Open(folder.Path, options, 16, static _ => { });
        var stored = 0UL;
        for (var n = 1UL; n <= 20; n++)
        {
            var writer = new LogWriter(1, log, TimeProvider.System, NullLogger.Instance, (sequence, _) => stored = sequence, static _ => { });
            writer.Add(new LogWrite(n, null, null, null, [LogRecord.Command(1, n, 1, new byte[8])]));
            Assert.NotEqual("raft log", await CloseAsync(writer).WaitAsync(Patience));
            Assert.Equal(n, stored);
        }
    }

    private static async Task<string?> CloseAsync(LogWriter writer)
    {
        await writer.DisposeAsync().ConfigureAwait(false);
        return Thread.CurrentThread.Name;
    }
}

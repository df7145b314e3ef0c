using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Skep.Coordination.Auditing;

/// <summary>
/// The file of the audit log. Lines wait for it beside the writes that they tell of; where it cannot take them they are lost, and counted
/// in it once it can. It is opened anew for what has gathered, so that it can be moved away at any time (logrotate needs to tell nobody).
/// </summary>
internal sealed partial class AuditFile : IAsyncDisposable
{
    /// <summary>Lines that wait at most.</summary>
    public const int MaxWaiting = 65_536;

    private const int MaxBatch = 4_096;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private static readonly TimeSpan NoticeEvery = TimeSpan.FromSeconds(10);
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Task _writing;
    private long _lost;
    private long _noticed;

    /// <exception cref="IOException">It cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be.</exception>
    public AuditFile(string path, TimeProvider time, ILogger logger)
    {
        (_path, _time, _logger) = (path, time, logger);
        Open().Dispose();
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Takes a line; never waits.</summary>
    public void Add(string line)
    {
        if (!_lines.Writer.TryWrite($"{Now()}\t{line}\n"))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Writes what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private string Now() => _time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private FileStream Open() => new(_path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = Mode, BufferSize = 0 });

    private async Task WriteAsync()
    {
        var text = new StringBuilder();
        bool isTorn = false;
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            text.Clear();
            long lost = Interlocked.Exchange(ref _lost, 0);
            if (lost > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{Now()}\toperation=auditLinesLost\tlines={lost}\tresult=failure\n");
            }
            if (isTorn)
            {
                // Part of a line may be there from the last time.
                text.Insert(0, '\n');
            }
            int count = 0;
            for (; count < MaxBatch && _lines.Reader.TryRead(out string? line); count++)
            {
                text.Append(line);
            }
            try
            {
                FileStream file = Open();
                await using (file.ConfigureAwait(false))
                {
                    await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString())).ConfigureAwait(false);
                }
                isTorn = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                isTorn = true;
                Interlocked.Add(ref _lost, lost + count);
                Notice(e.Message);
            }
        }
    }

    private void Notice(string reason)
    {
        if (_noticed == 0 || _time.GetElapsedTime(_noticed) > NoticeEvery)
        {
            _noticed = _time.GetTimestamp();
            LogLost(_logger, _path, reason, Interlocked.Read(ref _lost));
        }
    }

    [LoggerMessage(EventId = 2407, Level = LogLevel.Error, Message = "The audit log {File} cannot be written to: {Reason}; {Lost} lines are lost so far, which it will say once it can be")]
    private static partial void LogLost(ILogger logger, string file, string reason, long lost);
}

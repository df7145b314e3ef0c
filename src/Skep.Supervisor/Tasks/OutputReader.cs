using Skep.Supervisor.Logs;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Tasks;

/// <summary>Reads one of a task's pipes into its log.</summary>
internal sealed unsafe class OutputReader : IEventSource
{
    private const int ChunkBytes = 64 * 1024;

    // One for all: everything here is on the loop's thread.
    private static readonly byte[] Chunk = new byte[ChunkBytes];

    private readonly EventLoop _loop;
    private readonly LogAppender _log;
    private readonly byte _stream;
    private readonly Action _onLog;
    private readonly LineSplitter _lines = new();
    private readonly LineSplitter.OnRecord _add;
    private readonly ulong _token;
    private int _fd;

    public OutputReader(EventLoop loop, int fd, LogAppender log, byte stream, Action onLog)
    {
        (_loop, _fd, _log, _stream, _onLog) = (loop, fd, log, stream, onLog);
        _add = record => _log.Add(_stream, NowUnixNs, record);
        _token = loop.Watch(fd, Consts.EPollIn, this);
    }

    private static long NowUnixNs => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    public void OnReady(uint events)
    {
        var count = ReadOnce();
        if (count > 0)
        {
            _log.Write();
            _onLog();
        }
        else if (count == 0)
        {
            Close();
        }
    }

    /// <summary>Takes what is in the pipe still and closes it: to be called when nobody is left who writes.</summary>
    public void Drain()
    {
        // A pipe holds at most 1 MiB unless root made it bigger; the bound is against a writer that got away.
        for (var i = 0; i < 256 && ReadOnce() > 0; i++)
        {
        }
        Close();
    }

    private nint ReadOnce()
    {
        if (_fd < 0)
        {
            return 0;
        }
        nint count;
        fixed (byte* at = Chunk)
        {
            count = Libc.Read(_fd, at, ChunkBytes);
        }
        if (count > 0)
        {
            _lines.Feed(Chunk.AsSpan(0, (int)count), _add);
        }
        return count < 0 && Libc.LastError is not (Consts.ErrAgain or Consts.ErrInterrupted) ? 0 : count;
    }

    private void Close()
    {
        if (_fd >= 0)
        {
            _loop.Unwatch(_token);
            _ = Libc.Close(_fd);
            _fd = -1;
            _lines.Flush(_add);
            _log.Write();
            _onLog();
        }
    }
}

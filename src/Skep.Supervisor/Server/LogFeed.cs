using Skep.Supervisor.Logs;
using Skep.Supervisor.Protocol;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Server;

/// <summary>Sends a task's log to a peer, as fast as the peer reads.</summary>
internal sealed class LogFeed : IDisposable
{
    private readonly Connection _peer;
    private readonly SupervisedTask _task;
    private readonly LogRequest _request;
    private readonly uint _requestId;
    private readonly LogCursor _cursor;
    private long _toSkip;
    private bool _ended;

    public LogFeed(Connection peer, SupervisedTask task, LogRequest request, uint requestId)
    {
        (_peer, _task, _request, _requestId) = (peer, task, request, requestId);
        _cursor = new LogCursor(task.Folder);
        if (request.Tail >= 0)
        {
            using var counting = new LogCursor(task.Folder);
            long count = 0;
            while (counting.TryNext(out var unixNs, out var stream, out _))
            {
                count += Wanted(unixNs, stream) ? 1 : 0;
            }
            _toSkip = Math.Max(0, count - request.Tail);
        }
        if (request.Follow)
        {
            task.LogMoved += Pump;
        }
    }

    /// <summary>Sends what there is, while there is room.</summary>
    public void Pump()
    {
        while (!_ended && _peer.HasRoomForLog)
        {
            // Asked before reading: what was written until its end is read then.
            var ended = _task.Report.Phase == TaskPhase.Exited;
            if (_cursor.TryNext(out var unixNs, out var stream, out var record))
            {
                if (Wanted(unixNs, stream) && --_toSkip < 0)
                {
                    Send(unixNs, stream, record);
                }
            }
            else if (ended || !_request.Follow)
            {
                Dispose();
                _peer.Write(FrameKind.LogEnd, _requestId, static _ => { });
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Stops sending.</summary>
    public void Dispose()
    {
        _ended = true;
        _task.LogMoved -= Pump;
        _cursor.Dispose();
    }

    private bool Wanted(long unixNs, byte stream) =>
        unixNs >= _request.SinceUnixNs
        && ((stream == LogFormat.Stdout && _request.Stdout) || (stream == LogFormat.Stderr && _request.Stderr));

    private void Send(long unixNs, byte stream, ReadOnlySpan<byte> record)
    {
        var copy = record.ToArray();
        _peer.Write(FrameKind.LogRecord, _requestId, w =>
        {
            w.I64(unixNs);
            w.U8(stream);
            w.Bytes(copy);
        });
    }
}

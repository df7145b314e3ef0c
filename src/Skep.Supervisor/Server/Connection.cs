using System.Buffers.Binary;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Server;

/// <summary>One peer. It says Hello first; whatever is no frame of ours closes it.</summary>
internal sealed unsafe class Connection : IEventSource, IDisposable
{
    private const long HelloWithinMs = 5_000;

    /// <summary>Most bytes waiting for a peer that does not read; then it is cut off and has to come anew.</summary>
    private const int MaxUnsentBytes = 4 * 1024 * 1024;

    /// <summary>A log goes on being sent while fewer bytes than this wait.</summary>
    private const int LogWindowBytes = 256 * 1024;

    private readonly EventLoop _loop;
    private readonly ControlServer _server;
    private readonly ulong _token;
    private readonly WireWriter _frame = new();
    private byte[] _in = new byte[4096];
    private int _inLength;
    private byte[] _out = new byte[4096];
    private int _outAt;
    private int _outLength;
    private int _fd;
    private bool _greeted;
    private bool _watching;
    private bool _closeWhenSent;
    private bool _waitsForRoom;
    private LogFeed? _log;

    public Connection(EventLoop loop, int fd, ControlServer server)
    {
        (_loop, _fd, _server) = (loop, fd, server);
        _token = loop.Watch(fd, Consts.EPollIn, this);
        loop.After(HelloWithinMs, () =>
        {
            if (!_greeted && _fd >= 0)
            {
                Close("it said no hello");
            }
        });
    }

    /// <summary>Whether more of a log may be put into the way now.</summary>
    public bool HasRoomForLog => _fd >= 0 && _outLength - _outAt < LogWindowBytes;

    public void OnReady(uint events)
    {
        if ((events & (Consts.EPollIn | Consts.EPollHup | Consts.EPollErr)) != 0)
        {
            Receive();
        }
        if (_fd >= 0 && (events & Consts.EPollOut) != 0)
        {
            Send();
            _log?.Pump();
        }
    }

    /// <summary>Sends a task's report, if this peer asked for them.</summary>
    public void Tell(TaskReport report)
    {
        if (_watching)
        {
            Write(FrameKind.TaskState, 0, report.Write);
        }
    }

    /// <summary>Sends a frame.</summary>
    public void Write(FrameKind kind, uint requestId, Action<WireWriter> payload)
    {
        if (_fd < 0)
        {
            return;
        }
        _frame.Clear();
        var start = _frame.BeginFrame(kind, requestId);
        payload(_frame);
        _frame.EndFrame(start);
        Queue(_frame.Written);
    }

    /// <summary>Closes after what waits was sent.</summary>
    public void CloseWhenSent()
    {
        _closeWhenSent = true;
        Send();
    }

    public void Dispose() => Close(null);

    private void Receive()
    {
        while (_fd >= 0)
        {
            if (_inLength == _in.Length)
            {
                Array.Resize(ref _in, _in.Length * 2);
            }
            nint count;
            fixed (byte* at = _in)
            {
                count = Libc.Read(_fd, at + _inLength, _in.Length - _inLength);
            }
            if (count < 0 && Libc.LastError is Consts.ErrAgain or Consts.ErrInterrupted)
            {
                return;
            }
            if (count <= 0)
            {
                Close(null);
                return;
            }
            _inLength += (int)count;
            try
            {
                TakeFrames();
            }
            catch (WireException e)
            {
                Close(e.Message);
            }
        }
    }

    private void TakeFrames()
    {
        var at = 0;
        while (_fd >= 0 && _inLength - at >= Wire.LengthBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(_in.AsSpan(at));
            if (length is < Wire.HeadBytes or > Wire.MaxFrameBytes)
            {
                throw new WireException($"a frame of {length} bytes");
            }
            if (_inLength - at - Wire.LengthBytes < length)
            {
                break;
            }
            Take(_in.AsSpan(at + Wire.LengthBytes, (int)length));
            at += Wire.LengthBytes + (int)length;
        }
        _in.AsSpan(at, _inLength - at).CopyTo(_in);
        _inLength -= at;
        if (_inLength == 0 && _in.Length > 256 * 1024)
        {
            _in = new byte[4096];
        }
    }

    private void Take(ReadOnlySpan<byte> frame)
    {
        var r = new WireReader(frame);
        var (kind, requestId) = ((FrameKind)r.U8(), r.U32());
        if (!_greeted && kind != FrameKind.Hello)
        {
            throw new WireException("a frame before the hello");
        }
        Answer answer = (code, message) => Write(FrameKind.Reply, requestId, w =>
        {
            w.U8((byte)code);
            w.Text(message);
        });
        switch (kind)
        {
            case FrameKind.Hello:
                Greet(ref r, requestId);
                break;
            case FrameKind.Start:
                var start = StartRequest.Read(ref r);
                r.End();
                _server.Tasks.Start(start, answer);
                break;
            case FrameKind.Stop:
                var (stopped, signal, graceMs) = (r.Text(), r.I32(), r.I64());
                r.End();
                if (signal is < 0 or > 64)
                {
                    answer(ReplyCode.BadRequest, $"signal {signal}: expected 0 to 64");
                    break;
                }
                _server.Tasks.Stop(stopped, signal, graceMs, answer);
                break;
            case FrameKind.Remove:
                var removed = r.Text();
                r.End();
                _server.Tasks.Remove(removed, answer);
                break;
            case FrameKind.Logs:
                var logs = LogRequest.Read(ref r);
                r.End();
                if (_server.Tasks.Find(logs.TaskId) is not { } task)
                {
                    answer(ReplyCode.NotFound, $"there is no task {logs.TaskId}");
                    break;
                }
                _log?.Dispose();
                _log = new LogFeed(this, task, logs, requestId);
                _log.Pump();
                break;
            default:
                throw new WireException($"frame kind {(byte)kind} is not known");
        }
    }

    private void Greet(ref WireReader r, uint requestId)
    {
        var (magic, version, watch) = (r.U32(), r.U16(), r.Flag());
        r.End();
        if (magic != Wire.Magic)
        {
            throw new WireException("a hello of something else");
        }
        // The welcome says our version: a peer of another one says so and leaves.
        Write(FrameKind.Welcome, requestId, _server.Welcome.Write);
        if (version != Wire.Version)
        {
            CloseWhenSent();
            return;
        }
        _greeted = true;
        if (watch && !_watching)
        {
            _watching = true;
            foreach (var report in _server.Tasks.Reports)
            {
                Tell(report);
            }
            Write(FrameKind.SnapshotEnd, 0, static _ => { });
        }
    }

    private void Queue(ReadOnlySpan<byte> bytes)
    {
        if (_outLength - _outAt + bytes.Length > MaxUnsentBytes)
        {
            Close("it does not read what it is sent");
            return;
        }
        if (_outAt > 0 && _outLength + bytes.Length > _out.Length)
        {
            _out.AsSpan(_outAt, _outLength - _outAt).CopyTo(_out);
            _outLength -= _outAt;
            _outAt = 0;
        }
        if (_outLength + bytes.Length > _out.Length)
        {
            Array.Resize(ref _out, Math.Max(_out.Length * 2, _outLength + bytes.Length));
        }
        bytes.CopyTo(_out.AsSpan(_outLength));
        var idle = _outLength == _outAt;
        _outLength += bytes.Length;
        if (idle || _outLength - _outAt >= 64 * 1024)
        {
            Send();
        }
    }

    private void Send()
    {
        while (_fd >= 0 && _outAt < _outLength)
        {
            nint count;
            fixed (byte* at = _out)
            {
                count = Libc.Write(_fd, at + _outAt, _outLength - _outAt);
            }
            if (count < 0)
            {
                if (Libc.LastError == Consts.ErrInterrupted)
                {
                    continue;
                }
                if (Libc.LastError != Consts.ErrAgain)
                {
                    Close(null);
                    return;
                }
                WaitForRoom(true);
                return;
            }
            _outAt += (int)count;
        }
        (_outAt, _outLength) = (0, 0);
        if (_out.Length > 1024 * 1024)
        {
            _out = new byte[4096];
        }
        WaitForRoom(false);
        if (_closeWhenSent)
        {
            Close(null);
        }
    }

    private void WaitForRoom(bool wait)
    {
        if (_fd >= 0 && wait != _waitsForRoom)
        {
            _waitsForRoom = wait;
            _loop.Change(_token, wait ? Consts.EPollIn | Consts.EPollOut : Consts.EPollIn);
        }
    }

    private void Close(string? why)
    {
        if (_fd < 0)
        {
            return;
        }
        if (why is not null)
        {
            SupervisorLog.Write($"connection closed: {why}");
        }
        _loop.Unwatch(_token);
        _ = Libc.Close(_fd);
        _fd = -1;
        _watching = false;
        _log?.Dispose();
        _server.Closed(this);
    }
}

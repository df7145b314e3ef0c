using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Tasks;

/// <summary>Tells when a process has ended: its pidfd becomes readable, whoever its parent is.</summary>
internal sealed unsafe class PidWatch : IEventSource, IDisposable
{
    private readonly EventLoop _loop;
    private readonly Action _onEnd;
    private readonly ulong _token;
    private int _pidFd;

    public PidWatch(EventLoop loop, int pidFd, Action onEnd)
    {
        (_loop, _pidFd, _onEnd) = (loop, pidFd, onEnd);
        _token = loop.Watch(pidFd, Consts.EPollIn, this);
    }

    public void OnReady(uint events)
    {
        _loop.Unwatch(_token);
        _onEnd();
    }

    public bool Signal(int signal) => _pidFd >= 0 && Libc.PidFdSendSignal(_pidFd, signal) == 0;

    /// <summary>
    /// The wait status of a process that is not our child, which Linux tells since 6.15 once its parent has waited
    /// for it (PIDFD_GET_INFO); null before that or on an older kernel.
    /// </summary>
    public int? ForeignStatus()
    {
        const nuint GetInfo = 0xC040FF0B;
        const ulong WantExit = 1 << 3;
        var info = stackalloc ulong[8];
        for (var i = 0; i < 8; i++)
        {
            info[i] = 0;
        }
        info[0] = WantExit;
        return _pidFd >= 0 && Libc.IoCtl(_pidFd, GetInfo, info) == 0 && (info[0] & WantExit) != 0
            ? *((int*)info + 15)
            : null;
    }

    public void Dispose()
    {
        if (_pidFd >= 0)
        {
            _loop.Unwatch(_token);
            _ = Libc.Close(_pidFd);
            _pidFd = -1;
        }
    }
}

using System.Diagnostics;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Loop;

/// <summary>Something with a file descriptor that can become ready.</summary>
internal interface IEventSource
{
    /// <param name="events">epoll's bits.</param>
    void OnReady(uint events);
}

/// <summary>The supervisor's one loop: everything but the starting of processes happens on its thread.</summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int BatchSize = 128;

    private readonly int _epoll = Libc.EPollCreate(Consts.OpenCloseOnExec);
    private readonly Dictionary<ulong, IEventSource> _sources = [];
    private readonly PriorityQueue<Action, long> _timers = new();
    private ulong _generation;
    private bool _stopped;

    /// <summary>Milliseconds on a clock that only goes forward.</summary>
    public static long NowMs => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    /// <summary>Watches a descriptor; the token is for <see cref="Change"/> and <see cref="Unwatch"/>.</summary>
    public ulong Watch(int fd, uint events, IEventSource source)
    {
        // The generation keeps an event for a closed descriptor from reaching the next user of its number.
        var token = (++_generation << 32) | (uint)fd;
        var what = default(EPollEvent);
        what.Set(events, token);
        if (Libc.EPollCtl(_epoll, Consts.EPollAdd, fd, &what) != 0)
        {
            throw new IOException($"epoll: {Libc.Describe(Libc.LastError)}");
        }
        _sources[token] = source;
        return token;
    }

    public void Change(ulong token, uint events)
    {
        var what = default(EPollEvent);
        what.Set(events, token);
        _ = Libc.EPollCtl(_epoll, Consts.EPollMod, (int)(uint)token, &what);
    }

    public void Unwatch(ulong token)
    {
        if (_sources.Remove(token))
        {
            var what = default(EPollEvent);
            _ = Libc.EPollCtl(_epoll, Consts.EPollDel, (int)(uint)token, &what);
        }
    }

    /// <summary>Calls once after a time. There is no taking back: a callback looks whether it still applies.</summary>
    public void After(long delayMs, Action callback) => _timers.Enqueue(callback, NowMs + delayMs);

    public void Stop() => _stopped = true;

    public void Run()
    {
        var buffer = stackalloc byte[BatchSize * 16];
        while (!_stopped)
        {
            var waitMs = -1;
            while (_timers.TryPeek(out _, out var dueMs))
            {
                if (dueMs > NowMs)
                {
                    waitMs = (int)Math.Min(int.MaxValue, dueMs - NowMs);
                    break;
                }
                _timers.Dequeue()();
            }
            if (_stopped)
            {
                break;
            }
            var count = Libc.EPollWait(_epoll, (EPollEvent*)buffer, BatchSize, waitMs);
            if (count < 0 && Libc.LastError != Consts.ErrInterrupted)
            {
                throw new IOException($"epoll: {Libc.Describe(Libc.LastError)}");
            }
            for (var i = 0; i < count; i++)
            {
                var at = buffer + (i * EPollEvent.SizeBytes);
                if (_sources.TryGetValue(EPollEvent.Data(at), out var source))
                {
                    source.OnReady(EPollEvent.Events(at));
                }
            }
        }
    }

    public void Dispose() => _ = Libc.Close(_epoll);
}

using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Logs;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Tasks;

/// <summary>One task: its process, its output, its end.</summary>
internal sealed class SupervisedTask : IDisposable
{
    /// <summary>How long what is left of a task may take to die before its end is told all the same.</summary>
    private const long MaxDyingMs = 10_000;

    private readonly EventLoop _loop;
    private readonly Action<SupervisedTask> _onChange;
    private readonly Action _onChildEnd;
    private readonly string _runFolder;
    private TaskRecord? _record;
    private TaskCgroup _cgroup = new([], StartRequest.TaskOwnId);
    private LogAppender? _log;
    private OutputReader? _out;
    private OutputReader? _err;
    private PidWatch? _process;
    private bool _ending;
    private bool _adopted;

    /// <param name="loop">The loop.</param>
    /// <param name="folder">Where its log and its exit status are.</param>
    /// <param name="runFolder">Where its state and its pipes are.</param>
    /// <param name="report">Where it is now.</param>
    /// <param name="onChange">Called when <see cref="Report"/> has changed.</param>
    /// <param name="onChildEnd">Called when its process has ended and is our child: <see cref="OnEnd"/> is to follow.</param>
    public SupervisedTask(
        EventLoop loop, string folder, string runFolder, TaskReport report, Action<SupervisedTask> onChange, Action onChildEnd)
    {
        (_loop, Folder, _runFolder, Report, _onChange, _onChildEnd) = (loop, folder, runFolder, report, onChange, onChildEnd);
    }

    /// <summary>Where its log and its exit status are.</summary>
    public string Folder { get; }

    public TaskReport Report { get; private set; }

    /// <summary>The user id that is this task's alone, to be given back at its end.</summary>
    public uint OwnUid => _record?.OwnUid ?? StartRequest.TaskOwnId;

    /// <summary>Whether nobody wants to know how it ends.</summary>
    public bool Forgotten { get; set; }

    /// <summary>Raised when its log has grown or it has ended.</summary>
    public event Action? LogMoved;

    /// <summary>Begins to watch a process just started, or, <paramref name="adopted"/>, one another supervisor started.</summary>
    public void Watch(TaskRecord record, int pidFd, int outFd, int errFd, bool adopted)
    {
        _record = record;
        _adopted = adopted;
        _cgroup = new TaskCgroup(record.CgroupFolders, record.OwnUid);
        _log = new LogAppender(Folder, record.LogMaxBytes);
        _out = outFd >= 0 ? new OutputReader(_loop, outFd, _log, LogFormat.Stdout, () => LogMoved?.Invoke()) : null;
        _err = errFd >= 0 ? new OutputReader(_loop, errFd, _log, LogFormat.Stderr, () => LogMoved?.Invoke()) : null;
        _process = new PidWatch(_loop, pidFd, OnProcessEnd);
        Report = new TaskReport(record.TaskId, TaskPhase.Running, record.Pid, StartedAtMs: record.StartedAtMs);
        _onChange(this);
    }

    /// <summary>Its process has ended, or was gone when we came: kills the rest and tells when nothing is left.</summary>
    /// <param name="record">What is known of it.</param>
    /// <param name="error">Why nobody knows how it ended.</param>
    public void Lose(TaskRecord record, string error)
    {
        _record = record;
        _cgroup = new TaskCgroup(record.CgroupFolders, record.OwnUid);
        var log = _log = new LogAppender(Folder, Math.Max(record.LogMaxBytes, StartRequest.MinLogBytes));
        OutputReader? Left(string name, byte stream) => Spawning.Pipes.OpenToRead(_runFolder + "/" + name) is var fd and >= 0
            ? new OutputReader(_loop, fd, log, stream, () => LogMoved?.Invoke())
            : null;
        _out = Left("out", LogFormat.Stdout);
        _err = Left("err", LogFormat.Stderr);
        End(Report with
        {
            Pid = record.Pid,
            StartedAtMs = record.StartedAtMs,
            ExitCode = TaskReport.UnknownExitCode,
            Error = error,
        });
    }

    /// <summary>Asks the task to stop; everything in its cgroup is killed after the grace.</summary>
    /// <param name="signal">0 for the task's own stop signal.</param>
    /// <param name="graceMs">Below 0 for the task's own grace.</param>
    public void Stop(int signal, long graceMs)
    {
        if (_record is null || Report.Phase != TaskPhase.Running || _ending)
        {
            return;
        }
        _process?.Signal(signal == 0 ? _record.StopSignal : signal);
        graceMs = graceMs < 0 ? _record.StopGraceMs : graceMs;
        if (graceMs == 0)
        {
            Kill();
        }
        else
        {
            _loop.After(graceMs, Kill);
        }
    }

    /// <summary>Kills the task and all it started.</summary>
    public void Kill()
    {
        if (Report.Phase == TaskPhase.Running && !_ending)
        {
            _process?.Signal(Consts.SigKill);
            _cgroup.KillAll(Report.Pid);
        }
    }

    /// <summary>Its main process has ended with that wait status.</summary>
    public void OnEnd(int status)
    {
        if (!_ending)
        {
            var signal = status & 0x7F;
            End(Report with { Signal = signal, ExitCode = signal == 0 ? (status >> 8) & 0xFF : 128 + signal });
        }
    }

    /// <summary>Lets go of its descriptors.</summary>
    public void Dispose()
    {
        _process?.Dispose();
        _out?.Drain();
        _err?.Drain();
        _log?.Dispose();
    }

    private void OnProcessEnd()
    {
        if (_adopted)
        {
            // Another's child: the kernel may tell us all the same how it ended.
            AskForeignStatus(5);
        }
        else
        {
            _onChildEnd();
        }
    }

    private void AskForeignStatus(int triesLeft)
    {
        if (_process?.ForeignStatus() is { } status)
        {
            OnEnd(status);
        }
        else if (triesLeft > 0)
        {
            // Its parent, init, has not waited for it yet.
            _loop.After(20, () => AskForeignStatus(triesLeft - 1));
        }
        else
        {
            End(Report with
            {
                ExitCode = TaskReport.UnknownExitCode,
                Error = "it ended; its exit status is not known, since the supervisor was restarted while it ran",
            });
        }
    }

    private void End(TaskReport final)
    {
        if (_ending)
        {
            return;
        }
        _ending = true;
        _process?.Dispose();
        if (_record!.MemoryLimited && _cgroup.KilledForMemory())
        {
            final = final with { OomKilled = true };
        }
        Finish(final, EventLoop.NowMs + MaxDyingMs, 1);
    }

    private void Finish(TaskReport final, long untilMs, long delayMs)
    {
        // Nothing of a task outlives its main process, and its end is told when that is true.
        var gone = _cgroup.TryRemove(Report.Pid);
        if (!gone && EventLoop.NowMs < untilMs)
        {
            _cgroup.KillAll(Report.Pid);
            _loop.After(delayMs, () => Finish(final, untilMs, Math.Min(delayMs * 2, 100)));
            return;
        }
        if (!gone)
        {
            final = final with { Error = "what is left of it does not die: it waits in the kernel" };
        }
        Dispose();
        Report = final with { Phase = TaskPhase.Exited, FinishedAtMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() };
        try
        {
            if (!Forgotten)
            {
                TaskFolder.WriteExit(Folder, Report);
            }
        }
        catch (IOException e)
        {
            SupervisorLog.Write($"task {Report.TaskId}: {e.Message}");
        }
        if (_runFolder == Folder)
        {
            _ = Libc.Unlink(Folder + "/out");
            _ = Libc.Unlink(Folder + "/err");
        }
        else
        {
            TaskFolder.Delete(_runFolder);
        }
        _onChange(this);
        LogMoved?.Invoke();
    }
}

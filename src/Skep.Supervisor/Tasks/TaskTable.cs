using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;
using Skep.Supervisor.Spawning;

namespace Skep.Supervisor.Tasks;

/// <summary>Answers a request.</summary>
internal delegate void Answer(ReplyCode code, string message);

/// <summary>All tasks of the node that were not removed yet.</summary>
internal sealed unsafe class TaskTable : IDisposable
{
    /// <summary>Most tasks at once, ended ones that were not removed included.</summary>
    public const int MaxTasks = 16_384;

    private const long OrphanSweepMs = 5_000;

    private readonly EventLoop _loop;
    private readonly CgroupTree _cgroups;
    private readonly NodeFolders _folders;
    private readonly string _bootId;
    private readonly UidPool _uids;
    private readonly Spawner _spawner;
    private readonly Dictionary<string, SupervisedTask> _tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<int, SupervisedTask> _byPid = [];
    private readonly Dictionary<int, int> _earlyEnds = [];
    private readonly Dictionary<string, List<Answer>> _starting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Answer>> _removing = new(StringComparer.Ordinal);
    private bool _sweeping;

    /// <param name="loop">The loop.</param>
    /// <param name="cgroups">Where tasks are put.</param>
    /// <param name="folders">Where they are kept.</param>
    /// <param name="nodeHash">Tells this node from others of the machine.</param>
    public TaskTable(EventLoop loop, CgroupTree cgroups, NodeFolders folders, ulong nodeHash)
    {
        (_loop, _cgroups, _folders) = (loop, cgroups, folders);
        _bootId = CgroupFiles.Read("/proc/sys/kernel/random/boot_id").Trim();
        _uids = new UidPool(nodeHash);
        _spawner = new Spawner(loop, cgroups, _bootId, MaxTasks, OnSpawned);
    }

    /// <summary>Tasks that have not ended.</summary>
    public int Live { get; private set; }

    public IEnumerable<TaskReport> Reports
    {
        get
        {
            foreach (var task in _tasks.Values)
            {
                yield return task.Report;
            }
        }
    }

    /// <summary>Raised with every change of a task.</summary>
    public event Action<TaskReport>? Changed;

    public SupervisedTask? Find(string taskId) => _tasks.GetValueOrDefault(taskId);

    /// <summary>Finds the tasks of an earlier supervisor again.</summary>
    public void Recover()
    {
        foreach (var id in _folders.TaskIds())
        {
            if (TaskFolder.ReadExit(_folders.DiskOf(id)) is { } exit)
            {
                _tasks[id] = NewTask(exit);
                continue;
            }
            var folder = _folders.RunOf(id);
            var record = TaskFolder.ReadState(folder);
            var task = _tasks[id] = NewTask(new TaskReport(id, TaskPhase.Starting));
            Live++;
            var pidFd = record is not null && record.Pid > 0 && record.BootId == _bootId ? Libc.PidFdOpen(record.Pid) : -1;
            // The pid may be another's by now: its start time tells, and with the pidfd held it cannot change any more.
            if (pidFd >= 0 && record!.StartTicks != 0 && ProcessTable.StartTicks(record.Pid) == record.StartTicks)
            {
                _uids.Claim(record.OwnUid);
                task.Watch(record, pidFd, Pipes.OpenToRead(folder + "/out"), Pipes.OpenToRead(folder + "/err"), adopted: true);
                continue;
            }
            Pipes.Close(pidFd);
            record ??= new TaskRecord(id, "", 0, 0, StartRequest.TaskOwnId, Consts.SigTerm, 0,
                StartRequest.MinLogBytes, false, 0, _cgroups.FoldersOf(id, memory: true, cpu: true, pids: true));
            task.Lose(record, record.BootId == _bootId
                ? "it ended while no supervisor watched it; how is not known"
                : "the machine was restarted while it ran");
        }
    }

    public void Start(StartRequest request, Answer answer)
    {
        if (request.Fault() is { } fault)
        {
            answer(ReplyCode.BadRequest, fault);
        }
        else if (_tasks.ContainsKey(request.TaskId))
        {
            answer(ReplyCode.AlreadyExists, $"task {request.TaskId} was started before");
        }
        else if (_tasks.Count >= MaxTasks)
        {
            answer(ReplyCode.StartFailed, $"this node has {MaxTasks} process tasks already, the most there may be");
        }
        else if (TaskCgroup.Unsupported(_cgroups, request) is { } unsupported)
        {
            answer(ReplyCode.Unsupported, unsupported);
        }
        else if (Libc.GetEUid() != 0 && Identity.Unsupported(request) is { } needsRoot)
        {
            answer(ReplyCode.Unsupported, needsRoot);
        }
        else
        {
            Post(request, answer);
        }
    }

    public void Stop(string taskId, int signal, long graceMs, Answer answer)
    {
        if (!_tasks.TryGetValue(taskId, out var task))
        {
            answer(ReplyCode.NotFound, $"there is no task {taskId}");
            return;
        }
        if (_starting.TryGetValue(taskId, out var waiting))
        {
            // It becomes a process, then it is stopped.
            waiting.Add((_, _) => Stop(taskId, signal, graceMs, answer));
            return;
        }
        task.Stop(signal, graceMs);
        answer(ReplyCode.Ok, "");
    }

    /// <summary>Forgets a task, killing it first if it runs. Answers when nothing of it is left.</summary>
    public void Remove(string taskId, Answer answer)
    {
        if (!_tasks.TryGetValue(taskId, out var task))
        {
            answer(ReplyCode.Ok, "");
        }
        else if (task.Report.Phase == TaskPhase.Exited)
        {
            Forget(taskId, task);
            answer(ReplyCode.Ok, "");
        }
        else if (_removing.TryGetValue(taskId, out var waiting))
        {
            waiting.Add(answer);
        }
        else
        {
            _removing[taskId] = [answer];
            task.Forgotten = true;
            task.Kill();
        }
    }

    public void Dispose() => _spawner.Dispose();

    private void Post(StartRequest request, Answer answer)
    {
        var (uid, own) = (request.Uid, StartRequest.TaskOwnId);
        if (Libc.GetEUid() != 0)
        {
            uid = Libc.GetEUid();
        }
        else if (uid == StartRequest.TaskOwnId)
        {
            if (_uids.Take() is not { } taken)
            {
                answer(ReplyCode.StartFailed, "no user id is free for the task: name a user");
                return;
            }
            uid = own = taken;
        }
        var gid = Libc.GetEUid() != 0 ? Libc.GetEGid() : request.Gid == StartRequest.TaskOwnId ? uid : request.Gid;
        _tasks[request.TaskId] = NewTask(new TaskReport(request.TaskId, TaskPhase.Starting));
        _starting[request.TaskId] = [answer];
        Live++;
        if (!_spawner.TryPost(new SpawnJob(request, _folders.RunOf(request.TaskId), uid, gid, own)))
        {
            Failed(request.TaskId, own, "too many tasks wait to be started");
        }
    }

    private void OnSpawned(Spawned spawned)
    {
        var id = spawned.Job.Request.TaskId;
        if (spawned.Error is not null)
        {
            Failed(id, spawned.Job.OwnUid, spawned.Error);
        }
        else
        {
            var (task, record) = (_tasks[id], spawned.Record!);
            _byPid[record.Pid] = task;
            task.Watch(record, spawned.PidFd, spawned.OutFd, spawned.ErrFd, adopted: false);
            if (_starting.Remove(id, out var waiting))
            {
                foreach (var answer in waiting)
                {
                    answer(ReplyCode.Ok, "");
                }
            }
            if (_earlyEnds.Remove(record.Pid, out var status))
            {
                _byPid.Remove(record.Pid);
                task.OnEnd(status);
            }
            if (_removing.ContainsKey(id))
            {
                task.Kill();
            }
            Sweep();
        }
        if (_spawner.InFlight == 0)
        {
            _earlyEnds.Clear();
        }
    }

    private void Failed(string id, uint ownUid, string error)
    {
        _tasks.Remove(id);
        _uids.GiveBack(ownUid);
        Live--;
        _starting.Remove(id, out var starting);
        _removing.Remove(id, out var removing);
        foreach (var answer in starting ?? [])
        {
            answer(ReplyCode.StartFailed, error);
        }
        foreach (var answer in removing ?? [])
        {
            answer(ReplyCode.Ok, "");
        }
    }

    private void OnChange(SupervisedTask task)
    {
        var id = task.Report.TaskId;
        if (task.Report.Phase == TaskPhase.Exited)
        {
            Live--;
            _uids.GiveBack(task.OwnUid);
        }
        Changed?.Invoke(task.Report);
        if (task.Report.Phase == TaskPhase.Exited && _removing.Remove(id, out var waiting))
        {
            Forget(id, task);
            foreach (var answer in waiting)
            {
                answer(ReplyCode.Ok, "");
            }
        }
    }

    private void Forget(string id, SupervisedTask task)
    {
        _tasks.Remove(id);
        TaskFolder.Delete(task.Folder);
    }

    private SupervisedTask NewTask(TaskReport report) =>
        new(_loop, _folders.DiskOf(report.TaskId), _folders.RunOf(report.TaskId), report, OnChange, Reap);

    /// <summary>Reaps: our tasks, and what they left behind, which the kernel gives us as subreaper.</summary>
    private void Reap()
    {
        int status, pid;
        while ((pid = Libc.WaitPid(-1, &status, Consts.WaitNoHang)) > 0)
        {
            if (_byPid.Remove(pid, out var task))
            {
                task.OnEnd(status);
            }
            else if (_spawner.InFlight > 0)
            {
                // Perhaps a task that ended before we heard of its start.
                _earlyEnds[pid] = status;
            }
        }
    }

    private void Sweep()
    {
        if (!_sweeping)
        {
            _sweeping = true;
            _loop.After(OrphanSweepMs, () =>
            {
                _sweeping = false;
                Reap();
                if (Live > 0)
                {
                    Sweep();
                }
            });
        }
    }
}

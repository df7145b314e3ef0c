using System.Collections.Concurrent;
using System.Globalization;
using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Spawning;

/// <summary>A task to start.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Folder">Where its state and its pipes go; still to be made.</param>
/// <param name="Uid">The user it runs as.</param>
/// <param name="Gid">The group it runs as.</param>
/// <param name="OwnUid">The user id taken for it alone, or <see cref="StartRequest.TaskOwnId"/>.</param>
internal sealed record SpawnJob(StartRequest Request, string Folder, uint Uid, uint Gid, uint OwnUid);

/// <summary>How that went: with an error nothing is left of it.</summary>
internal sealed record Spawned(
    SpawnJob Job, string? Error, TaskRecord? Record = null, int PidFd = -1, int OutFd = -1, int ErrFd = -1);

/// <summary>
/// Starts processes on threads of its own: executing a program can wait for a slow file system, and the loop that
/// reads logs and answers the agent is not to wait with it. Without threads, where the runtime allows none
/// (<see cref="Child.IsCompiledAhead"/>), it has to.
/// </summary>
internal sealed unsafe class Spawner : IEventSource, IDisposable
{
    private const int MaxThreads = 4;

    private readonly CgroupTree _cgroups;
    private readonly string _bootId;
    private readonly Action<Spawned> _onSpawned;
    private readonly BlockingCollection<SpawnJob> _jobs;
    private readonly ConcurrentQueue<Spawned> _done = new();
    private readonly int _event = Libc.EventFd(0, Consts.OpenNonBlock | Consts.OpenCloseOnExec);
    private readonly int _null = Libc.Open("/dev/null", Consts.OpenReadOnly | Consts.OpenCloseOnExec);
    private readonly int _lastCapability;
    private readonly int _threads;

    /// <param name="loop">Where <paramref name="onSpawned"/> is called.</param>
    /// <param name="cgroups">Where tasks are put.</param>
    /// <param name="bootId">This boot.</param>
    /// <param name="maxJobs">Most jobs waiting.</param>
    /// <param name="onSpawned">Takes what became of a job.</param>
    public Spawner(EventLoop loop, CgroupTree cgroups, string bootId, int maxJobs, Action<Spawned> onSpawned)
    {
        _cgroups = cgroups;
        _bootId = bootId;
        _onSpawned = onSpawned;
        _jobs = new BlockingCollection<SpawnJob>(maxJobs);
        _lastCapability = int.TryParse(
            CgroupFiles.Read("/proc/sys/kernel/cap_last_cap").AsSpan().Trim(), NumberStyles.None,
            CultureInfo.InvariantCulture, out var last) ? last : 40;
        loop.Watch(_event, Consts.EPollIn, this);
        Child.Rehearse();
        _threads = Child.IsCompiledAhead ? Math.Clamp(Environment.ProcessorCount, 1, MaxThreads) : 0;
        for (var i = 0; i < _threads; i++)
        {
            new Thread(Work) { IsBackground = true, Name = "spawner" }.Start();
        }
    }

    /// <summary>Jobs taken whose end has not been told yet.</summary>
    public int InFlight { get; private set; }

    /// <summary>Takes a job; false while too many are waiting.</summary>
    public bool TryPost(SpawnJob job)
    {
        if (_threads == 0)
        {
            InFlight++;
            Do(job);
            return true;
        }
        if (!_jobs.TryAdd(job))
        {
            return false;
        }
        InFlight++;
        return true;
    }

    public void OnReady(uint events)
    {
        ulong count;
        _ = Libc.Read(_event, (byte*)&count, 8);
        while (_done.TryDequeue(out var spawned))
        {
            InFlight--;
            _onSpawned(spawned);
        }
    }

    public void Dispose() => _jobs.CompleteAdding();

    private void Work()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            Do(job);
        }
    }

    private void Do(SpawnJob job)
    {
        Spawned spawned;
        try
        {
            spawned = Spawn(job);
        }
        catch (Exception e)
        {
            TaskFolder.Delete(job.Folder);
            spawned = new Spawned(job, e.Message);
        }
        _done.Enqueue(spawned);
        ulong one = 1;
        _ = Libc.Write(_event, (byte*)&one, 8);
    }

    private Spawned Spawn(SpawnJob job)
    {
        var (request, folder) = (job.Request, job.Folder);
        TaskFolder.Delete(folder);
        if (Libc.MkDir(folder, 0x1C0) != 0)
        {
            return new Spawned(job, $"cannot make {folder}: {Libc.Describe(Libc.LastError)}");
        }
        if (request.Files.Count > 0)
        {
            _ = Libc.MkDir(PlanBuilder.SecretsFolder, 0x1ED);
        }
        var error = TaskCgroup.Make(_cgroups, request, job.OwnUid, out var cgroup);
        // On disk before it can run: what a killed supervisor leaves behind is found by this.
        var record = new TaskRecord(
            request.TaskId, _bootId, 0, 0, job.OwnUid, request.StopSignal, request.StopGraceMs, request.LogMaxBytes,
            request.MemoryBytes > 0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), cgroup.Folders);
        int pid = 0, pidFd = -1, outRead = -1, errRead = -1;
        if (error is null)
        {
            error = Try(() => TaskFolder.WriteState(folder, record));
        }
        if (error is null)
        {
            error = Pipes.Make(folder, job.Uid, job.Gid, out outRead, out errRead, out var outWrite, out var errWrite)
                ?? Run(job, cgroup, outWrite, errWrite, out pid, out pidFd);
            Pipes.Close(outWrite, errWrite);
        }
        if (error is null)
        {
            record = record with { Pid = pid, StartTicks = ProcessTable.StartTicks(pid) };
            error = Try(() => TaskFolder.WritePid(folder, record.Pid, record.StartTicks));
            if (error is not null)
            {
                cgroup.KillAll(pid);
                _ = Libc.Kill(pid, Consts.SigKill);
            }
        }
        if (error is not null)
        {
            Pipes.Close(outRead, errRead, pidFd);
            cgroup.TryRemove(pid);
            TaskFolder.Delete(folder);
            return new Spawned(job, error);
        }
        return new Spawned(job, null, record, pidFd, outRead, errRead);
    }

    private static string? Try(Action write)
    {
        try
        {
            write();
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    private string? Run(SpawnJob job, TaskCgroup cgroup, int outWrite, int errWrite, out int pid, out int pidFd)
    {
        using var arena = new Arena();
        var plan = PlanBuilder.Build(arena, job.Request, job.Uid, job.Gid, _lastCapability);
        var procs = new List<string>();
        foreach (var folder in cgroup.Folders)
        {
            procs.Add(folder + "/cgroup.procs");
        }
        plan->CgroupProcs = arena.Texts(procs);
        (plan->Stdin, plan->Stdout, plan->Stderr) = (_null, outWrite, errWrite);
        var fd = -1;
        pid = Child.Start(plan, &fd);
        pidFd = fd;
        if (pid < 0)
        {
            var error = -pid;
            pid = 0;
            pidFd = -1;
            return $"cannot make a process: {Libc.Describe(error)}";
        }
        if (plan->FailedStep == ChildStep.None)
        {
            return null;
        }
        int status;
        _ = Libc.WaitPid(pid, &status, 0);
        return ChildFailure.Describe(job.Request, plan->FailedStep, plan->FailedErrno, plan->FailedItem);
    }
}

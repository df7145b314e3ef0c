namespace Skep.Supervisor.Protocol;

/// <summary>Where a task is.</summary>
internal enum TaskPhase : byte
{
    Starting = 0,
    Running = 1,
    Exited = 2,
}

/// <summary>What is known of a task; sent whenever it changes, and of all tasks after a Hello that asks for it.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Phase">Where it is.</param>
/// <param name="Pid">Its main process; 0 before it was started.</param>
/// <param name="ExitCode">0-255 as the process said, 128 + signal where one ended it, -1 where nobody knows.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
/// <param name="OomKilled">Whether the kernel killed in it for want of memory.</param>
/// <param name="Error">Why it ended where the exit status alone does not say; empty otherwise.</param>
/// <param name="StartedAtMs">Unix time of the start, 0 before it.</param>
/// <param name="FinishedAtMs">Unix time of the end, 0 before it.</param>
internal sealed record TaskReport(
    string TaskId,
    TaskPhase Phase,
    int Pid = 0,
    int ExitCode = 0,
    int Signal = 0,
    bool OomKilled = false,
    string Error = "",
    long StartedAtMs = 0,
    long FinishedAtMs = 0)
{
    public const int UnknownExitCode = -1;

    public void Write(WireWriter w)
    {
        w.Text(TaskId);
        w.U8((byte)Phase);
        w.I32(Pid);
        w.I32(ExitCode);
        w.I32(Signal);
        w.Flag(OomKilled);
        w.Text(Error);
        w.I64(StartedAtMs);
        w.I64(FinishedAtMs);
    }

    public static TaskReport Read(ref WireReader r)
    {
        var id = r.Text();
        var phase = (TaskPhase)r.U8();
        if (phase > TaskPhase.Exited)
        {
            throw new WireException($"phase {(byte)phase} is not known");
        }
        return new TaskReport(id, phase, r.I32(), r.I32(), r.I32(), r.Flag(), r.Text(), r.I64(), r.I64());
    }
}

/// <summary>Which of a task's log to send.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Stdout">Whether its stdout.</param>
/// <param name="Stderr">Whether its stderr.</param>
/// <param name="SinceUnixNs">Nothing written before that time.</param>
/// <param name="Tail">Only the last so many records of what is there; below 0 all of them.</param>
/// <param name="Follow">Whether to go on until the task has ended.</param>
internal sealed record LogRequest(
    string TaskId, bool Stdout = true, bool Stderr = true, long SinceUnixNs = 0, long Tail = -1, bool Follow = false)
{
    public void Write(WireWriter w)
    {
        w.Text(TaskId);
        w.Flag(Stdout);
        w.Flag(Stderr);
        w.I64(SinceUnixNs);
        w.I64(Tail);
        w.Flag(Follow);
    }

    public static LogRequest Read(ref WireReader r) =>
        new(r.Text(), r.Flag(), r.Flag(), r.I64(), r.I64(), r.Flag());
}

/// <summary>What the supervisor says of itself after a Hello.</summary>
/// <param name="Version">Its protocol version.</param>
/// <param name="Pid">Its process.</param>
/// <param name="MemoryLimits">Whether it can limit memory.</param>
/// <param name="CpuLimits">Whether it can limit CPU time.</param>
/// <param name="PidLimits">Whether it can limit processes.</param>
/// <param name="CgroupText">Which cgroups it uses, in words.</param>
internal sealed record Welcome(
    ushort Version, int Pid, bool MemoryLimits, bool CpuLimits, bool PidLimits, string CgroupText)
{
    public void Write(WireWriter w)
    {
        w.U32(Wire.Magic);
        w.U16(Version);
        w.I32(Pid);
        w.Flag(MemoryLimits);
        w.Flag(CpuLimits);
        w.Flag(PidLimits);
        w.Text(CgroupText);
    }

    public static Welcome Read(ref WireReader r)
    {
        if (r.U32() != Wire.Magic)
        {
            throw new WireException("whatever answers here is no supervisor");
        }
        return new Welcome(r.U16(), r.I32(), r.Flag(), r.Flag(), r.Flag(), r.Text());
    }
}

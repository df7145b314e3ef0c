using System.Buffers.Binary;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Tasks;

/// <summary>What is kept of a started task so that another supervisor can go on with it.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="BootId">The boot it was started in; in another one no process of it can be alive.</param>
/// <param name="Pid">Its main process; 0 while that is not known yet.</param>
/// <param name="StartTicks">When that started, in clock ticks since boot; with the pid it names the process.</param>
/// <param name="OwnUid">The user id taken for it alone, or <see cref="StartRequest.TaskOwnId"/> if none was.</param>
/// <param name="StopSignal">What asks it to stop.</param>
/// <param name="StopGraceMs">How long it may take to.</param>
/// <param name="LogMaxBytes">Bound of its log.</param>
/// <param name="MemoryLimited">Whether it has a memory limit.</param>
/// <param name="StartedAtMs">Unix time of its start.</param>
/// <param name="CgroupFolders">Its cgroups, the one it is tracked in first.</param>
internal sealed record TaskRecord(
    string TaskId, string BootId, int Pid, ulong StartTicks, uint OwnUid, int StopSignal, long StopGraceMs,
    long LogMaxBytes, bool MemoryLimited, long StartedAtMs, IReadOnlyList<string> CgroupFolders);

/// <summary>
/// A task's files. What does not last: `state` (what it is), `out` and `err` (the pipes it writes to: named ones, so
/// that it outlives the supervisor that reads them). What does: `exit` (how it ended) and its log. Nothing is
/// synced: all of it outlives any process, and what a power cut takes the agent has in its own, synced, records by then.
/// </summary>
internal static unsafe class TaskFolder
{
    private const uint StateVersion = 0x3150_4B53; // "SKP1"
    private const uint ExitVersion = 0x3145_4B53; // "SKE1"
    private const int PidAt = 4;

    public static void WriteState(string folder, TaskRecord record)
    {
        var w = new WireWriter();
        w.U32(StateVersion);
        w.I32(record.Pid);
        w.U64(record.StartTicks);
        w.Text(record.TaskId);
        w.Text(record.BootId);
        w.U32(record.OwnUid);
        w.I32(record.StopSignal);
        w.I64(record.StopGraceMs);
        w.I64(record.LogMaxBytes);
        w.Flag(record.MemoryLimited);
        w.I64(record.StartedAtMs);
        w.Texts(record.CgroupFolders);
        WriteFile(folder + "/state", w.Written);
    }

    /// <summary>Adds the process to a state written before it was started.</summary>
    public static void WritePid(string folder, int pid, ulong startTicks)
    {
        var fd = Libc.Open(folder + "/state", Consts.OpenWriteOnly | Consts.OpenCloseOnExec);
        if (fd < 0)
        {
            throw new IOException($"{folder}/state: {Libc.Describe(Libc.LastError)}");
        }
        var bytes = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(bytes, 4), pid);
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(bytes + 4, 8), startTicks);
        var written = Libc.PWrite(fd, bytes, 12, PidAt);
        _ = Libc.Close(fd);
        if (written != 12)
        {
            throw new IOException($"{folder}/state: cannot be written");
        }
    }

    /// <summary>The state of a task, or null where the file is missing or no state.</summary>
    public static TaskRecord? ReadState(string folder)
    {
        try
        {
            var r = new WireReader(File.ReadAllBytes(folder + "/state"));
            if (r.U32() != StateVersion)
            {
                return null;
            }
            var (pid, ticks, id, boot) = (r.I32(), r.U64(), r.Text(), r.Text());
            return new TaskRecord(id, boot, pid, ticks, r.U32(), r.I32(), r.I64(), r.I64(), r.Flag(), r.I64(), r.Texts());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or WireException)
        {
            return null;
        }
    }

    public static void WriteExit(string folder, TaskReport report)
    {
        NodeFolders.Make(folder);
        var w = new WireWriter();
        w.U32(ExitVersion);
        report.Write(w);
        WriteFile(folder + "/exit.new", w.Written);
        if (Libc.Rename(folder + "/exit.new", folder + "/exit") != 0)
        {
            throw new IOException($"{folder}/exit: {Libc.Describe(Libc.LastError)}");
        }
    }

    public static TaskReport? ReadExit(string folder)
    {
        try
        {
            var r = new WireReader(File.ReadAllBytes(folder + "/exit"));
            return r.U32() == ExitVersion ? TaskReport.Read(ref r) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or WireException)
        {
            return null;
        }
    }

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    private static void WriteFile(string path, ReadOnlySpan<byte> bytes)
    {
        var fd = Libc.Open(path,
            Consts.OpenWriteOnly | Consts.OpenCreate | Consts.OpenTruncate | Consts.OpenCloseOnExec, 0x180);
        if (fd < 0)
        {
            throw new IOException($"{path}: {Libc.Describe(Libc.LastError)}");
        }
        nint written;
        fixed (byte* at = bytes)
        {
            written = Libc.Write(fd, at, bytes.Length);
        }
        _ = Libc.Close(fd);
        if (written != bytes.Length)
        {
            throw new IOException($"{path}: cannot be written: {Libc.Describe(Libc.LastError)}");
        }
    }
}

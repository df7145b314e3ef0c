namespace Skep.Supervisor.Protocol;

/// <summary>A file of the task's private /run/secrets.</summary>
/// <param name="Path">Relative to /run/secrets, without dot segments.</param>
/// <param name="Data">Its bytes.</param>
/// <param name="Uid">Owner; <see cref="StartRequest.TaskOwnId"/> for the task's own user.</param>
/// <param name="Gid">Group; <see cref="StartRequest.TaskOwnId"/> for the task's own group.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record PrivateFile(string Path, byte[] Data, uint Uid, uint Gid, uint Mode);

/// <summary>A resource limit.</summary>
/// <param name="Resource">Linux's RLIMIT number.</param>
/// <param name="Soft">Soft limit; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="Hard">Hard limit; <see cref="ulong.MaxValue"/> for none.</param>
internal sealed record ResourceLimit(int Resource, ulong Soft, ulong Hard);

/// <summary>A mount in the task's own namespace: a bind of <paramref name="Source"/>, or a tmpfs where it is empty.</summary>
/// <param name="Source">What is bound; empty for a tmpfs.</param>
/// <param name="Target">Where; it must exist.</param>
/// <param name="ReadOnly">Whether the task may not write to it.</param>
/// <param name="Recursive">Whether mounts below the source come along.</param>
/// <param name="SizeBytes">Size of a tmpfs; 0 for the kernel's default.</param>
/// <param name="Mode">Mode of a tmpfs's root.</param>
internal sealed record TaskMount(string Source, string Target, bool ReadOnly, bool Recursive, long SizeBytes, uint Mode);

/// <summary>Everything the supervisor needs to start a task. Names are resolved: ids are numbers here.</summary>
internal sealed record StartRequest
{
    /// <summary>Stands for "a user id of the task's own", chosen by the supervisor.</summary>
    public const uint TaskOwnId = uint.MaxValue;

    public required string TaskId { get; init; }

    /// <summary>Program and arguments, at least one; a program without a slash is looked for in PATH of <see cref="Env"/>.</summary>
    public required IReadOnlyList<string> Argv { get; init; }

    public IReadOnlyList<string> Env { get; init; } = [];

    public string Directory { get; init; } = "/";

    public uint Uid { get; init; } = TaskOwnId;

    public uint Gid { get; init; } = TaskOwnId;

    public IReadOnlyList<uint> Groups { get; init; } = [];

    /// <summary>Bit n set: the task has capability n.</summary>
    public ulong Capabilities { get; init; }

    public int StopSignal { get; init; } = 15;

    public long StopGraceMs { get; init; } = 10_000;

    public IReadOnlyList<ResourceLimit> ResourceLimits { get; init; } = [];

    public bool ReadOnlyRoot { get; init; }

    public string Hostname { get; init; } = "";

    public int OomScoreAdj { get; init; }

    public IReadOnlyList<TaskMount> Mounts { get; init; } = [];

    public IReadOnlyList<PrivateFile> Files { get; init; } = [];

    /// <summary>Memory limit; 0 for none.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>CPU limit in 10^-9 cores; 0 for none.</summary>
    public long NanoCpus { get; init; }

    /// <summary>Most processes and threads at once; 0 for no limit.</summary>
    public long Pids { get; init; }

    /// <summary>The least a log may be bounded to: two files with room for the longest record.</summary>
    public const long MinLogBytes = 64 * 1024;

    /// <summary>Most bytes of log kept.</summary>
    public long LogMaxBytes { get; init; } = 10 * 1024 * 1024;

    public void Write(WireWriter w)
    {
        w.Text(TaskId);
        w.Texts(Argv);
        w.Texts(Env);
        w.Text(Directory);
        w.U32(Uid);
        w.U32(Gid);
        w.List(Groups, static (o, group) => o.U32(group));
        w.U64(Capabilities);
        w.I32(StopSignal);
        w.I64(StopGraceMs);
        w.List(ResourceLimits, static (o, limit) =>
        {
            o.I32(limit.Resource);
            o.U64(limit.Soft);
            o.U64(limit.Hard);
        });
        w.Flag(ReadOnlyRoot);
        w.Text(Hostname);
        w.I32(OomScoreAdj);
        w.List(Mounts, static (o, mount) =>
        {
            o.Text(mount.Source);
            o.Text(mount.Target);
            o.Flag(mount.ReadOnly);
            o.Flag(mount.Recursive);
            o.I64(mount.SizeBytes);
            o.U32(mount.Mode);
        });
        w.List(Files, static (o, file) =>
        {
            o.Text(file.Path);
            o.Bytes(file.Data);
            o.U32(file.Uid);
            o.U32(file.Gid);
            o.U32(file.Mode);
        });
        w.I64(MemoryBytes);
        w.I64(NanoCpus);
        w.I64(Pids);
        w.I64(LogMaxBytes);
    }

    public static StartRequest Read(ref WireReader r) => new()
    {
        TaskId = r.Text(),
        Argv = r.Texts(),
        Env = r.Texts(),
        Directory = r.Text(),
        Uid = r.U32(),
        Gid = r.U32(),
        Groups = r.List(static (ref WireReader i) => i.U32()),
        Capabilities = r.U64(),
        StopSignal = r.I32(),
        StopGraceMs = r.I64(),
        ResourceLimits = r.List(static (ref WireReader i) => new ResourceLimit(i.I32(), i.U64(), i.U64())),
        ReadOnlyRoot = r.Flag(),
        Hostname = r.Text(),
        OomScoreAdj = r.I32(),
        Mounts = r.List(static (ref WireReader i) =>
            new TaskMount(i.Text(), i.Text(), i.Flag(), i.Flag(), i.I64(), i.U32())),
        Files = r.List(static (ref WireReader i) =>
            new PrivateFile(i.Text(), i.Bytes().ToArray(), i.U32(), i.U32(), i.U32())),
        MemoryBytes = r.I64(),
        NanoCpus = r.I64(),
        Pids = r.I64(),
        LogMaxBytes = r.I64(),
    };

    /// <summary>What is wrong with this request in itself, or null.</summary>
    public string? Fault()
    {
        if (!IsTaskId(TaskId))
        {
            return $"task id '{TaskId}': expected 1 to 64 letters, digits, '-' or '_'";
        }
        if (Argv.Count == 0 || Argv[0].Length == 0)
        {
            return "command: empty";
        }
        foreach (var list in (IReadOnlyList<string>[])[Argv, Env, [Directory, Hostname]])
        {
            foreach (var text in list)
            {
                if (text.Contains('\0', StringComparison.Ordinal))
                {
                    return "a text with a zero byte in it";
                }
            }
        }
        if (StopSignal is < 1 or > 64)
        {
            return $"stop signal {StopSignal}: expected 1 to 64";
        }
        if (StopGraceMs < 0 || MemoryBytes < 0 || NanoCpus < 0 || Pids < 0 || LogMaxBytes < MinLogBytes)
        {
            return "a limit below its least";
        }
        foreach (var file in Files)
        {
            if (!IsPrivatePath(file.Path))
            {
                return $"file '{file.Path}': expected a path below /run/secrets without '.' or '..'";
            }
        }
        foreach (var mount in Mounts)
        {
            if (!mount.Target.StartsWith('/') || (mount.Source.Length > 0 && !mount.Source.StartsWith('/')))
            {
                return $"mount '{mount.Target}': expected absolute paths";
            }
        }
        return null;
    }

    /// <summary>Whether the id is safe as the name of a folder and of a cgroup.</summary>
    public static bool IsTaskId(string id)
    {
        if (id.Length is 0 or > 64)
        {
            return false;
        }
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-' && c != '_')
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether the path stays below the folder it is relative to.</summary>
    public static bool IsPrivatePath(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }
        foreach (var part in path.Split('/'))
        {
            if (part.Length is 0 or > 255 || part is "." or "..")
            {
                return false;
            }
        }
        return true;
    }
}

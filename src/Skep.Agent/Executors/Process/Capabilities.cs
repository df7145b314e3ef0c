namespace Skep.Agent.Executors.Process;

/// <summary>Linux's capabilities by name.</summary>
internal static class Capabilities
{
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE",
        "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME",
        "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
        "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    public static ulong All => (1UL << Names.Length) - 1;

    /// <summary>What a container's root has by default, and so a root task.</summary>
    public static ulong OfRoot { get; } = Set(
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW",
        "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP");

    /// <summary>The bits of a name, with or without CAP_; ALL is all of them; 0 for what is none.</summary>
    public static ulong Parse(string text)
    {
        var name = text.ToUpperInvariant();
        name = name.StartsWith("CAP_", StringComparison.Ordinal) ? name[4..] : name;
        return name == "ALL" ? All
            : Array.IndexOf(Names, name) is var at and >= 0 ? 1UL << at
            : 0;
    }

    private static ulong Set(params ReadOnlySpan<string> names)
    {
        ulong set = 0;
        foreach (var name in names)
        {
            set |= Parse(name);
        }
        return set;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Spawning;

/// <summary>
/// What happens between clone and execve. .NET cannot fork, since only the calling thread would live on in the
/// copy. So nothing is copied: the child is cloned as vfork does, the thread that made it waits while the child
/// borrows its memory, and the child only makes system calls over the plan laid out for it, until it executes
/// the program or leaves. Starting a helper program for this instead was measured at 2 ms of CPU a task.
/// </summary>
internal static unsafe class Child
{
    private const int NewMounts = 0x20000;
    private const int NewHostname = 0x4000000;
    private const int CapabilityVersion3 = 0x20080522;
    private const int SigSetMask = 2;

    private const int CloseRange = 436;
    private const int MountSetAttr = 442;

    /// <summary>
    /// Whether the program was compiled ahead, as it is shipped. Else the runtime compiles as it goes, and a collection
    /// that begins on another thread while a child is under way crashes it (tried: within 2,000 starts; compiled ahead,
    /// 40,000 starts beside 420,000 collections did no harm). Then no other thread may allocate during a start.
    /// </summary>
    public static bool IsCompiledAhead => JitInfo.GetCompiledMethodCount() == 0;

    /// <summary>
    /// To be called once before the first start. Where the runtime compiles as it goes, everything the child runs is
    /// compiled and bound now: in the child that would take locks another thread may hold, and more stack than it has.
    /// </summary>
    public static void Rehearse()
    {
        if (!IsCompiledAhead)
        {
            PrepareAll();
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Not reached where code is compiled ahead and trimmed.")]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Not reached where code is compiled ahead and trimmed.")]
    private static void PrepareAll()
    {
        const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var call in typeof(ChildCalls).GetMethods(All))
        {
            Marshal.Prelink(call);
        }
        foreach (var method in typeof(Child).GetMethods(All))
        {
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
        }
    }

    /// <summary>
    /// Runs a plan in a new process. Returns its pid, or a negative errno if there is none; where
    /// <see cref="ChildPlan.FailedStep"/> is set the child has left and only wants to be reaped.
    /// </summary>
    [SkipLocalsInit]
    public static int Start(ChildPlan* plan, int* pidFd)
    {
        // Far more than the child's few frames: only pages that are touched cost anything.
        const int StackBytes = 256 * 1024;
        // On this thread's own stack, where the runtime expects a thread's frames.
        var stack = stackalloc byte[StackBytes];
        var top = (byte*)((nint)(stack + StackBytes - 256) & ~0xF);
        // Numbers that differ between machines go with the plan: the child reads no static field, which could want
        // its class set up first.
        var arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        plan->SetGroupsCall = arm ? 159 : 116;
        plan->SetResUidCall = arm ? 147 : 117;
        plan->SetResGidCall = arm ? 149 : 119;
        plan->CapSetCall = arm ? 91 : 126;
        // No handler of ours may run in the child, which would be this thread as far as it can tell.
        ulong all = ulong.MaxValue, old = 0;
        Libc.SigMask(SigSetMask, &all, &old);
        var pid = Libc.Clone(
            &Run, top, Consts.CloneVm | Consts.CloneVfork | Consts.ClonePidFd | Consts.SigChild, plan, pidFd, null, null);
        var error = Libc.LastError;
        Libc.SigMask(SigSetMask, &old, null);
        return pid < 0 ? -error : pid;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)]), MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run(void* argument)
    {
        var plan = (ChildPlan*)argument;
        Execute(plan);
        // Only a failure comes here.
        ChildCalls.Exit(127);
        return 127;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Execute(ChildPlan* plan)
    {
        for (var item = 0; plan->CgroupProcs[item] != null; item++)
        {
            if (!WriteWhole(plan->CgroupProcs[item], "0"u8, Consts.OpenWriteOnly))
            {
                Fail(plan, ChildStep.Cgroup, item);
                return;
            }
        }
        if (ChildCalls.SetSid() < 0)
        {
            Fail(plan, ChildStep.Session, 0);
            return;
        }
        ChildCalls.UMask(0x12);
        if (!Streams(plan) || !Mounts(plan) || !Hostname(plan) || !Limits(plan) || !Privileges(plan))
        {
            return;
        }
        if (ChildCalls.ChDir(plan->Directory) != 0)
        {
            Fail(plan, ChildStep.Directory, 0);
            return;
        }
        // An ignored signal stays ignored across execve, and .NET ignores SIGPIPE.
        for (var signal = 1; signal <= 64; signal++)
        {
            ChildCalls.Signal(signal, 0);
        }
        ulong none = 0;
        ChildCalls.SigProcMask(SigSetMask, &none, null);
        var error = Consts.ErrNoEntry;
        for (var item = 0; plan->Candidates[item] != null; item++)
        {
            ChildCalls.ExecVe(plan->Candidates[item], plan->Argv, plan->Env);
            var now = *ChildCalls.ErrnoAt();
            if (now != Consts.ErrNoEntry && now != Consts.ErrNotDirectory)
            {
                error = now;
                if (now != Consts.ErrAccess)
                {
                    break;
                }
            }
        }
        plan->FailedErrno = error;
        plan->FailedStep = ChildStep.Execute;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Streams(ChildPlan* plan)
    {
        // The streams are above 2: the supervisor keeps its own 0, 1 and 2 open from its start.
        if (ChildCalls.Dup2(plan->Stdin, 0) < 0 || ChildCalls.Dup2(plan->Stdout, 1) < 0
            || ChildCalls.Dup2(plan->Stderr, 2) < 0)
        {
            return Fail(plan, ChildStep.StandardStreams, 0);
        }
        // All is opened close-on-exec; this is the second lock, against what a library may have opened.
        ChildCalls.Syscall(CloseRange, 3, unchecked((nint)uint.MaxValue), 4, 0, 0);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Mounts(ChildPlan* plan)
    {
        if (plan->OwnMounts == 0)
        {
            return true;
        }
        byte nothing = 0;
        var root = stackalloc byte[2];
        root[0] = (byte)'/';
        root[1] = 0;
        if (ChildCalls.Unshare(NewMounts) != 0
            || ChildCalls.Mount(&nothing, root, null, Consts.MountSlave | Consts.MountRecursive, null) != 0)
        {
            return Fail(plan, ChildStep.Namespace, 0);
        }
        if (plan->ReadOnlyRoot != 0)
        {
            if (!SetReadOnly(root, recursive: true, readOnly: true))
            {
                return Fail(plan, ChildStep.ReadOnlyRoot, 0);
            }
            fixed (byte* dev = "/dev\0"u8, proc = "/proc\0"u8, sys = "/sys\0"u8)
            {
                // Not there or no mount of its own: then it stays read-only with the rest.
                SetReadOnly(dev, recursive: true, readOnly: false);
                SetReadOnly(proc, recursive: true, readOnly: false);
                SetReadOnly(sys, recursive: true, readOnly: false);
            }
        }
        for (var item = 0; item < plan->MountCount; item++)
        {
            var step = plan->Mounts + item;
            if (ChildCalls.Mount(step->Source, step->Target, step->Type, step->Flags, step->Data) != 0
                || (step->ReadOnlyAfter != 0 && !SetReadOnly(step->Target, step->Recursive != 0, readOnly: true)))
            {
                return Fail(plan, ChildStep.Mount, item);
            }
        }
        return plan->FileCount == 0 || Secrets(plan);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Secrets(ChildPlan* plan)
    {
        fixed (byte* tmpfs = "tmpfs\0"u8)
        {
            if (ChildCalls.Mount(tmpfs, plan->SecretsFolder, tmpfs,
                Consts.MountNoSuid | Consts.MountNoDev | Consts.MountNoExec, plan->SecretsData) != 0)
            {
                return Fail(plan, ChildStep.Secrets, -1);
            }
        }
        for (var item = 0; item < plan->FileCount; item++)
        {
            var file = plan->Files + item;
            if (file->Data == null)
            {
                if (ChildCalls.MkDir(file->Path, 0x1ED) != 0 && *ChildCalls.ErrnoAt() != Consts.ErrExists)
                {
                    return Fail(plan, ChildStep.Secrets, item);
                }
                continue;
            }
            var fd = ChildCalls.Open(file->Path,
                Consts.OpenWriteOnly | Consts.OpenCreate | Consts.OpenExclusive | Consts.OpenCloseOnExec, 0x180);
            if (fd < 0
                || !WriteAll(fd, file->Data, file->Length)
                || ChildCalls.FChOwn(fd, file->Uid, file->Gid) != 0
                || ChildCalls.FChMod(fd, file->Mode) != 0)
            {
                return Fail(plan, ChildStep.Secrets, item);
            }
            ChildCalls.Close(fd);
        }
        return SetReadOnly(plan->SecretsFolder, recursive: false, readOnly: true)
            || Fail(plan, ChildStep.Secrets, -1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Hostname(ChildPlan* plan) =>
        plan->Hostname == null
        || (ChildCalls.Unshare(NewHostname) == 0
            && ChildCalls.SetHostName(plan->Hostname, plan->HostnameLength) == 0)
        || Fail(plan, ChildStep.Hostname, 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Limits(ChildPlan* plan)
    {
        for (var item = 0; item < plan->LimitCount; item++)
        {
            if (ChildCalls.SetRLimit(plan->Limits[item].Resource, &plan->Limits[item].Limit) != 0)
            {
                return Fail(plan, ChildStep.Limits, item);
            }
        }
        if (plan->OomScoreAdj == null)
        {
            return true;
        }
        fixed (byte* path = "/proc/self/oom_score_adj\0"u8)
        {
            return WriteWhole(path, new ReadOnlySpan<byte>(plan->OomScoreAdj, plan->OomScoreAdjLength), Consts.OpenWriteOnly)
                || Fail(plan, ChildStep.OomScore, 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Privileges(ChildPlan* plan)
    {
        if (plan->SetIds != 0)
        {
            // The bounding set first, while we still may; then keep capabilities over the change of ids.
            for (var capability = 0; capability <= plan->LastCapability; capability++)
            {
                if ((plan->Capabilities & (1UL << capability)) == 0
                    && ChildCalls.PrCtl(24, (nuint)capability, 0, 0, 0) != 0)
                {
                    return Fail(plan, ChildStep.Capabilities, capability);
                }
            }
            if (plan->Capabilities != 0 && ChildCalls.PrCtl(8, 1, 0, 0, 0) != 0)
            {
                return Fail(plan, ChildStep.Capabilities, -1);
            }
            if (ChildCalls.Syscall(plan->SetGroupsCall, plan->GroupCount, (nint)plan->Groups, 0, 0, 0) != 0)
            {
                return Fail(plan, ChildStep.Groups, 0);
            }
            if (ChildCalls.Syscall(plan->SetResGidCall, (nint)plan->Gid, (nint)plan->Gid, (nint)plan->Gid, 0, 0) != 0)
            {
                return Fail(plan, ChildStep.Group, 0);
            }
            if (ChildCalls.Syscall(plan->SetResUidCall, (nint)plan->Uid, (nint)plan->Uid, (nint)plan->Uid, 0, 0) != 0)
            {
                return Fail(plan, ChildStep.User, 0);
            }
            if (!Capabilities(plan))
            {
                return Fail(plan, ChildStep.Capabilities, -1);
            }
        }
        return ChildCalls.PrCtl(38, 1, 0, 0, 0) == 0 || Fail(plan, ChildStep.NoNewPrivileges, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Capabilities(ChildPlan* plan)
    {
        var header = stackalloc int[2];
        header[0] = CapabilityVersion3;
        header[1] = 0;
        // effective, permitted, inheritable; first the low halves, then the high ones
        var sets = stackalloc uint[6];
        sets[0] = sets[1] = sets[2] = (uint)plan->Capabilities;
        sets[3] = sets[4] = sets[5] = (uint)(plan->Capabilities >> 32);
        if (ChildCalls.Syscall(plan->CapSetCall, (nint)header, (nint)sets, 0, 0, 0) != 0)
        {
            return false;
        }
        // Ambient: what another user than root needs to keep them over execve.
        for (var capability = 0; capability <= plan->LastCapability; capability++)
        {
            if ((plan->Capabilities & (1UL << capability)) != 0
                && ChildCalls.PrCtl(47, 2, (nuint)capability, 0, 0) != 0)
            {
                return false;
            }
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool SetReadOnly(byte* path, bool recursive, bool readOnly)
    {
        // struct mount_attr: set, clear, propagation, user namespace
        var attributes = stackalloc ulong[4];
        attributes[0] = readOnly ? 1UL : 0;
        attributes[1] = readOnly ? 0 : 1UL;
        attributes[2] = 0;
        attributes[3] = 0;
        return ChildCalls.Syscall(MountSetAttr, -100, (nint)path, recursive ? 0x8000 : 0, (nint)attributes, 32) == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool WriteWhole(byte* path, ReadOnlySpan<byte> data, int flags)
    {
        var fd = ChildCalls.Open(path, flags | Consts.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            return false;
        }
        fixed (byte* at = data)
        {
            var done = ChildCalls.Write(fd, at, data.Length) == data.Length;
            var error = *ChildCalls.ErrnoAt();
            ChildCalls.Close(fd);
            *ChildCalls.ErrnoAt() = error;
            return done;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool WriteAll(int fd, byte* data, int length)
    {
        while (length > 0)
        {
            var written = ChildCalls.Write(fd, data, length);
            if (written <= 0)
            {
                return false;
            }
            data += written;
            length -= (int)written;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Fail(ChildPlan* plan, ChildStep step, int item)
    {
        plan->FailedErrno = *ChildCalls.ErrnoAt();
        plan->FailedItem = item;
        plan->FailedStep = step;
        return false;
    }
}

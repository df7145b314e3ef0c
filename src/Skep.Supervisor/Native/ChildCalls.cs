using System.Runtime.InteropServices;

namespace Skep.Supervisor.Native;

/// <summary>
/// Calls made between clone and execve, in the child that borrows our memory. They neither allocate nor take a
/// lock of the runtime's: pointers and numbers only, and no transition of the collector's. Ids are set by raw
/// system call, since libc's own functions would set them for every thread it knows of.
/// </summary>
internal static unsafe class ChildCalls
{
    [DllImport("libc", EntryPoint = "__errno_location"), SuppressGCTransition]
    public static extern int* ErrnoAt();

    [DllImport("libc", EntryPoint = "_exit"), SuppressGCTransition]
    public static extern void Exit(int status);

    [DllImport("libc", EntryPoint = "open"), SuppressGCTransition]
    public static extern int Open(byte* path, int flags, uint mode);

    [DllImport("libc", EntryPoint = "write"), SuppressGCTransition]
    public static extern nint Write(int fd, byte* data, nint count);

    [DllImport("libc", EntryPoint = "close"), SuppressGCTransition]
    public static extern int Close(int fd);

    [DllImport("libc", EntryPoint = "mkdir"), SuppressGCTransition]
    public static extern int MkDir(byte* path, uint mode);

    [DllImport("libc", EntryPoint = "fchown"), SuppressGCTransition]
    public static extern int FChOwn(int fd, uint uid, uint gid);

    [DllImport("libc", EntryPoint = "fchmod"), SuppressGCTransition]
    public static extern int FChMod(int fd, uint mode);

    [DllImport("libc", EntryPoint = "dup2"), SuppressGCTransition]
    public static extern int Dup2(int from, int to);

    [DllImport("libc", EntryPoint = "setsid"), SuppressGCTransition]
    public static extern int SetSid();

    [DllImport("libc", EntryPoint = "umask"), SuppressGCTransition]
    public static extern uint UMask(uint mask);

    [DllImport("libc", EntryPoint = "chdir"), SuppressGCTransition]
    public static extern int ChDir(byte* path);

    [DllImport("libc", EntryPoint = "unshare"), SuppressGCTransition]
    public static extern int Unshare(int flags);

    [DllImport("libc", EntryPoint = "sethostname"), SuppressGCTransition]
    public static extern int SetHostName(byte* name, nint length);

    [DllImport("libc", EntryPoint = "mount"), SuppressGCTransition]
    public static extern int Mount(byte* source, byte* target, byte* type, nuint flags, byte* data);

    [DllImport("libc", EntryPoint = "setrlimit"), SuppressGCTransition]
    public static extern int SetRLimit(int resource, RLimit* limit);

    [DllImport("libc", EntryPoint = "prctl"), SuppressGCTransition]
    public static extern int PrCtl(int option, nuint a, nuint b, nuint c, nuint d);

    [DllImport("libc", EntryPoint = "signal"), SuppressGCTransition]
    public static extern nint Signal(int signal, nint handler);

    [DllImport("libc", EntryPoint = "sigprocmask"), SuppressGCTransition]
    public static extern int SigProcMask(int how, ulong* set, ulong* old);

    [DllImport("libc", EntryPoint = "execve"), SuppressGCTransition]
    public static extern int ExecVe(byte* path, byte** argv, byte** env);

    [DllImport("libc", EntryPoint = "syscall"), SuppressGCTransition]
    public static extern nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);
}

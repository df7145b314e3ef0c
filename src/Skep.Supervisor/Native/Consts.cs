using System.Runtime.InteropServices;

namespace Skep.Supervisor.Native;

/// <summary>Linux's numbers, the same on x86-64 and arm64 unless said otherwise.</summary>
internal static class Consts
{
    public const int OpenReadOnly = 0;
    public const int OpenWriteOnly = 1;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenTruncate = 0x200;
    public const int OpenAppend = 0x400;
    public const int OpenNonBlock = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    /// <summary>Another number on arm64.</summary>
    public static int OpenDirectory { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    /// <summary>Another number on arm64.</summary>
    public static int OpenNoFollow { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    public const int ErrNotPermitted = 1;
    public const int ErrNoEntry = 2;
    public const int ErrInterrupted = 4;
    public const int ErrAgain = 11;
    public const int ErrAccess = 13;
    public const int ErrBusy = 16;
    public const int ErrExists = 17;
    public const int ErrNotDirectory = 20;

    public const int SigKill = 9;
    public const int SigTerm = 15;

    public const int LockExclusiveNow = 2 | 4;

    public const int RLimitNoFile = 7;

    public const int PrSetChildSubreaper = 36;

    public const int WaitNoHang = 1;

    public const uint EPollIn = 0x001;
    public const uint EPollOut = 0x004;
    public const uint EPollErr = 0x008;
    public const uint EPollHup = 0x010;
    public const int EPollAdd = 1;
    public const int EPollDel = 2;
    public const int EPollMod = 3;

    public const int UnixDomain = 1;
    public const int SocketStream = 1;
    public const int SocketNonBlock = 0x800;
    public const int SocketCloseOnExec = 0x80000;
    public const int SolSocket = 1;
    public const int SoPeerCred = 17;

    public const int CloneVm = 0x100;
    public const int ClonePidFd = 0x1000;
    public const int CloneVfork = 0x4000;
    public const int SigChild = 17;

    public const nuint MountReadOnly = 1;
    public const nuint MountNoSuid = 2;
    public const nuint MountNoDev = 4;
    public const nuint MountNoExec = 8;
    public const nuint MountRemount = 32;
    public const nuint MountBind = 4096;
    public const nuint MountRecursive = 16384;
    public const nuint MountSlave = 1 << 19;
}

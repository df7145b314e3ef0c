using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Skep.Node.Listeners;

/// <summary>The control socket's place on disk. Whoever can open it commands the cluster, so its folder and mode are the guard.</summary>
internal static partial class ControlSocketFile
{
    // What sockaddr_un holds, less the closing zero.
    private const int MaxPathBytes = 107;

    /// <summary>
    /// Makes room for the socket: creates its folder with mode 0700 where it is missing, refuses a path that belongs to
    /// somebody else or is a link, and removes the socket of a daemon that is gone.
    /// </summary>
    /// <param name="path">Where it is to be.</param>
    /// <param name="flag">By what its user said so.</param>
    /// <exception cref="NodeStartException">The place is not safe or is taken.</exception>
    public static void Prepare(string path, string flag = "--listen-control-api")
    {
        int length = System.Text.Encoding.UTF8.GetByteCount(path);
        if (length > MaxPathBytes)
        {
            throw new NodeStartException($"{flag} {path}: the path has {length} bytes, a unix socket's may have {MaxPathBytes}; choose a shorter one");
        }
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        CheckOwner(folder, "the folder of the control socket", flag);
        if ((StatOf(folder, flag).Mode & (OthersMayWrite | Sticky)) is > 0 and < Sticky)
        {
            throw new NodeStartException($"{flag} {path}: others may write to {folder} and could put their own socket there; take that right away (chmod go-w) or choose a folder of your own");
        }
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            throw new NodeStartException($"{flag} {path}: it is a link; name the socket itself");
        }
        if (!file.Exists && !Directory.Exists(path))
        {
            return;
        }
        CheckOwner(path, "the control socket", flag);
        if (!IsSocket(path, flag))
        {
            throw new NodeStartException($"{flag} {path}: something that is no socket stands there; move it away or choose another path");
        }
        if (SomebodyListens(path))
        {
            throw new NodeStartException($"{flag} {path}: another process listens there; stop it or choose another path");
        }
        File.Delete(path);
    }

    /// <summary>
    /// What this process makes while it is held is its owner's alone: between the making of a socket and a change of its mode
    /// anybody could connect.
    /// </summary>
    public static IDisposable OwnerOnly() => new Mask(SetMask(OthersMask));

    /// <summary>Makes the socket its owner's alone.</summary>
    public static void Restrict(string path) => File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static bool IsSocket(string path, string flag) => (StatOf(path, flag).Mode & FileTypeMask) == SocketType;

    private static bool SomebodyListens(string path)
    {
        using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        try
        {
            probe.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static void CheckOwner(string path, string what, string flag)
    {
        uint me = GetEffectiveUser();
        uint owner = StatOf(path, flag).Owner;
        if (owner != me && owner != 0)
        {
            throw new NodeStartException($"{flag}: {what} {path} belongs to user {owner}, not to user {me} who runs swarmd; choose a path of your own");
        }
    }

    private static (uint Owner, ushort Mode) StatOf(string path, string flag)
    {
        // struct statx (linux/stat.h) has stx_uid at byte 20 and stx_mode at byte 28, on every architecture.
        Span<byte> statx = stackalloc byte[256];
        if (Statx(AtFdCwd, path, AtSymlinkNoFollow, StatxTypeAndUid, ref MemoryMarshal.GetReference(statx)) != 0)
        {
            throw new NodeStartException($"{flag}: {path} cannot be looked at: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
        return (BitConverter.ToUInt32(statx[20..]), BitConverter.ToUInt16(statx[28..]));
    }

    private const uint OthersMask = 0x3f; // 077

    private sealed class Mask(uint before) : IDisposable
    {
        public void Dispose() => _ = SetMask(before);
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);

    private const int AtFdCwd = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const uint StatxTypeAndUid = 0x1 | 0x2 | 0x8;
    private const int OthersMayWrite = 0x12; // 022
    private const int Sticky = 0x200; // 01000
    private const int FileTypeMask = 0xf000;
    private const int SocketType = 0xc000;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();
}

using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Skep.Node.DataPlane;

/// <summary>What root may do and a data plane need not once its ports are open.</summary>
internal static unsafe partial class Privileges
{
    // struct passwd of the C library: two pointers, then the two ids.
    private const int UserAt = 16, GroupAt = 20;

    /// <summary>Becomes another user, for good and in all threads. Nothing happens where this process is not root's.</summary>
    /// <param name="user">A name of this machine, or uid:gid.</param>
    /// <returns>Who it is from here on.</returns>
    /// <exception cref="NodeStartException">There is no such user, or the kernel refuses.</exception>
    public static string GiveUp(string user)
    {
        if (GetEffectiveUser() != 0)
        {
            return Environment.UserName;
        }
        (uint uid, uint gid) = Resolve(user);
        if (SetGroups(0, null) != 0 || SetGroup(gid, gid, gid) != 0 || SetUser(uid, uid, uid) != 0)
        {
            throw new NodeStartException($"--user {user}: the rights of root cannot be given up: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
        return user;
    }

    private static (uint Uid, uint Gid) Resolve(string user)
    {
        string[] ids = user.Split(':');
        if (ids.Length == 2 && uint.TryParse(ids[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid) && uint.TryParse(ids[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint gid))
        {
            return (uid, gid);
        }
        byte* entry = (byte*)GetPasswd(user);
        return entry is not null
            ? (*(uint*)(entry + UserAt), *(uint*)(entry + GroupAt))
            : throw new NodeStartException($"--user {user}: there is no such user on this machine; name one that is, or uid:gid");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetPasswd(string name);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    private static partial int SetGroups(nuint count, uint* groups);

    // All three of each, so that none is left to come back by. The C library tells every thread.
    [LibraryImport("libc", EntryPoint = "setresgid", SetLastError = true)]
    private static partial int SetGroup(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "setresuid", SetLastError = true)]
    private static partial int SetUser(uint real, uint effective, uint saved);
}

using System.Text;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Cgroups;

/// <summary>Small reads and writes in the cgroup file system.</summary>
internal static unsafe class CgroupFiles
{
    public static bool Make(string folder, out string error)
    {
        error = "";
        if (Libc.MkDir(folder, 0x1ED) == 0 || Libc.LastError == Consts.ErrExists)
        {
            return true;
        }
        error = Libc.Describe(Libc.LastError);
        return false;
    }

    /// <summary>Writes a value; returns 0 or an errno.</summary>
    public static int Write(string path, string value)
    {
        var fd = Libc.Open(path, Consts.OpenWriteOnly | Consts.OpenCloseOnExec);
        if (fd < 0)
        {
            return Libc.LastError;
        }
        var bytes = Encoding.ASCII.GetBytes(value);
        fixed (byte* at = bytes)
        {
            var error = Libc.Write(fd, at, bytes.Length) == bytes.Length ? 0 : Libc.LastError;
            _ = Libc.Close(fd);
            return error;
        }
    }

    /// <summary>A file's text, at most 64 KiB of it; empty where it cannot be read.</summary>
    public static string Read(string path)
    {
        var fd = Libc.Open(path, Consts.OpenReadOnly | Consts.OpenCloseOnExec);
        if (fd < 0)
        {
            return "";
        }
        var bytes = new byte[4096];
        var length = 0;
        while (length < 65_536)
        {
            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, bytes.Length * 2);
            }
            nint count;
            fixed (byte* at = bytes)
            {
                count = Libc.Read(fd, at + length, bytes.Length - length);
            }
            if (count <= 0)
            {
                break;
            }
            length += (int)count;
        }
        _ = Libc.Close(fd);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    /// <summary>Turns a version 2 controller on for the cgroups below a folder.</summary>
    public static bool Enable(string folder, string controller)
    {
        static bool Has(string list, string word) =>
            Array.IndexOf(list.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries), word) >= 0;

        return Has(Read(folder + "/cgroup.controllers"), controller)
            && (Has(Read(folder + "/cgroup.subtree_control"), controller)
                || Write(folder + "/cgroup.subtree_control", "+" + controller) == 0);
    }

    /// <summary>The number after a word at the start of a line, 0 where there is none.</summary>
    public static long Field(string text, string word)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith(word + " ", StringComparison.Ordinal)
                && long.TryParse(line.AsSpan(word.Length + 1), out var value))
            {
                return value;
            }
        }
        return 0;
    }
}

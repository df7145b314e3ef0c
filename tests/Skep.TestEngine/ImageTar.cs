using System.Diagnostics;
using System.Formats.Tar;
using System.Text;

namespace Skep.TestEngine;

/// <summary>Root file systems of stand-in images, made of what Debian has on this machine.</summary>
public static class ImageTar
{
    private static readonly string[] Applets =
        ["sh", "sleep", "cat", "echo", "env", "id", "ls", "nc", "true", "false", "kill", "stat", "mount", "hostname", "touch", "test", "head", "tail", "date", "wget", "grep", "printf", "pwd", "httpd", "mkdir", "rm"];

    /// <summary>Why no image can be made here; null when it can.</summary>
    public static string? WhyNot => File.Exists("/bin/busybox") ? null : "there is no /bin/busybox (Debian: busybox-static)";

    /// <summary>A shell and its tools.</summary>
    public static void Busybox(Stream tar)
    {
        using var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true);
        AddBusybox(writer);
    }

    /// <summary>Debian's redis-server with the libraries it needs, and the shell.</summary>
    public static void Redis(Stream tar)
    {
        using var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true);
        AddBusybox(writer);
        AddFolder(writer, "data/");
        AddFolder(writer, "usr/local/bin/");
        AddFile(writer, "/usr/bin/redis-server", "usr/local/bin/redis-server");
        if (File.Exists("/usr/bin/redis-cli"))
        {
            AddFile(writer, "/usr/bin/redis-cli", "usr/local/bin/redis-cli");
        }

        foreach (var library in Libraries("/usr/bin/redis-server").Union(Libraries("/usr/bin/redis-cli")))
        {
            AddFile(writer, library, library.TrimStart('/'));
        }
    }

    private static void AddBusybox(TarWriter writer)
    {
        foreach (var folder in new[] { "bin/", "etc/", "tmp/", "run/", "dev/", "proc/", "sys/", "root/" })
        {
            AddFolder(writer, folder);
        }

        AddText(writer, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n");
        AddText(writer, "etc/group", "root:x:0:\nnogroup:x:65534:\n");
        AddFile(writer, "/bin/busybox", "bin/busybox");
        foreach (var applet in Applets)
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox" });
        }
    }

    private static void AddFolder(TarWriter writer, string name) => writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name)
    {
        Mode = (UnixFileMode)Convert.ToInt32(name == "tmp/" ? "1777" : "755", 8),
    });

    private static void AddText(TarWriter writer, string name, string text) => writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
    {
        Mode = (UnixFileMode)Convert.ToInt32("644", 8),
        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
    });

    private static void AddFile(TarWriter writer, string path, string name)
    {
        using var content = File.OpenRead(path);
        writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = (UnixFileMode)Convert.ToInt32("755", 8),
            DataStream = content,
        });
    }

    // The paths at the end of lines such as "libc.so.6 => /lib/…/libc.so.6 (0x…)".
    private static IEnumerable<string> Libraries(string program)
    {
        if (!File.Exists(program))
        {
            return [];
        }

        using var ldd = Process.Start(new ProcessStartInfo("ldd", program) { RedirectStandardOutput = true })!;
        var output = ldd.StandardOutput.ReadToEnd();
        ldd.WaitForExit();
        return output.Split('\n').SelectMany(line => line.Split(' ', '\t')).Where(word => word.StartsWith('/')).Distinct().ToList();
    }
}

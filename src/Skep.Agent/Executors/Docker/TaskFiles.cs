using System.Globalization;
using System.Runtime.InteropServices;
using Docker.Swarmkit.V1;
using Engine = Docker.DotNet.Models;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// Secrets and configs as files, on a tmpfs only root can enter, from where they are bound to their targets. They are there
/// from before the container starts until it is removed.
/// </summary>
internal sealed partial class TaskFiles(string folder)
{
    private const uint GoPermissionBits = 0x1FF;
    private const string SecretsTarget = "/run/secrets";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly Lock _gate = new();
    private bool _isReady;

    /// <summary>Whether the task has any.</summary>
    public static bool Any(SwarmTask task) => task.Spec.Container.Secrets.Count + task.Spec.Container.Configs.Count > 0;

    /// <summary>The binds of the task's files. Writes nothing.</summary>
    /// <exception cref="TaskRejectedException">A reference is not one to a file, or two have one target.</exception>
    public IReadOnlyList<Engine.Mount> Mounts(SwarmTask task)
    {
        var mounts = Entries(task).Select((entry, i) => new Engine.Mount
        {
            Type = "bind",
            Source = PathOf(task.Id, i),
            Target = entry.Target,
            ReadOnly = true,
        }).ToList();
        var twice = mounts.GroupBy(m => m.Target).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? mounts : throw new TaskRejectedException($"secrets and configs: more than one has the target {twice.Key}");
    }

    /// <summary>Writes the task's files; those that are there already are written anew.</summary>
    /// <exception cref="TaskRejectedException">The node was not given one, or cannot keep them in memory.</exception>
    public void Write(SwarmTask task, ITaskDependencies dependencies)
    {
        MakeReady();
        Directory.CreateDirectory(Path.Combine(folder, task.Id), OwnerOnly);
        var number = 0;
        foreach (var entry in Entries(task))
        {
            Write(PathOf(task.Id, number++), entry, entry.Content(dependencies));
        }
    }

    /// <summary>Removes the task's files.</summary>
    public void Remove(string taskId)
    {
        try
        {
            Directory.Delete(Path.Combine(folder, taskId), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It had none.
        }
    }

    /// <summary>Removes the files of tasks that are not known.</summary>
    public void RemoveUnknown(Func<string, bool> isKnown)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var path in Directory.EnumerateDirectories(folder).Where(p => !isKnown(Path.GetFileName(p))))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Lets go of the tmpfs where nothing is on it, so that the state directory can be removed.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                _ = Unmount(folder, Detach);
                _isReady = false;
            }
        }
    }

    private static void Write(string path, Entry entry, ReadOnlyMemory<byte> content)
    {
        // Anew rather than over: the mode of the old one may forbid it.
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(content.Span);
        file.Flush();
        if (ChangeOwner(path, entry.Uid, entry.Gid) != 0)
        {
            throw new TaskRejectedException($"{entry.Target}: owner {entry.Uid}:{entry.Gid}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        File.SetUnixFileMode(file.SafeFileHandle, (UnixFileMode)(entry.Mode & GoPermissionBits));
    }

    private static IEnumerable<Entry> Entries(SwarmTask task)
    {
        var spec = task.Spec.Container;
        foreach (var secret in spec.Secrets)
        {
            yield return Entry.Of(secret.File, $"secret {secret.SecretName}", SecretsTarget, d => d.GetSecret(secret));
        }

        foreach (var config in spec.Configs)
        {
            yield return Entry.Of(config.File, $"config {config.ConfigName}", "/", d => d.GetConfig(config));
        }
    }

    private string PathOf(string taskId, int number) => Path.Combine(folder, taskId, number.ToString(CultureInfo.InvariantCulture));

    private void MakeReady()
    {
        lock (_gate)
        {
            if (_isReady)
            {
                return;
            }

            Directory.CreateDirectory(folder, OwnerOnly);
            if (!IsOnTmpfs(folder) && Mount("tmpfs", folder, "tmpfs", NoSuid | NoDev | NoExec, "mode=0700,size=256m") != 0)
            {
                throw new TaskRejectedException(
                    $"secrets and configs: no tmpfs can be mounted on {folder} ({Marshal.GetLastPInvokeErrorMessage()}), and they are kept in memory only");
            }

            _isReady = true;
        }
    }

    /// <summary>Whether the nearest mount above the path is a tmpfs.</summary>
    private static bool IsOnTmpfs(string path)
    {
        var best = ("", "");
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            // 36 35 98:0 /root /mount/point options … - type source options
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            var point = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            var isAbove = path == point || path.StartsWith(point == "/" ? "/" : point + "/", StringComparison.Ordinal);
            if (isAbove && point.Length >= best.Item1.Length)
            {
                best = (point, fields[dash + 1]);
            }
        }

        return best.Item2 is "tmpfs" or "ramfs";
    }

    private const nuint NoSuid = 2;
    private const nuint NoDev = 4;
    private const nuint NoExec = 8;

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string data);

    private const int Detach = 2;

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint uid, uint gid);

    private sealed record Entry(string Target, uint Uid, uint Gid, uint Mode, Func<ITaskDependencies, ReadOnlyMemory<byte>> Content)
    {
        public static Entry Of(FileTarget? file, string what, string folder, Func<ITaskDependencies, ReadOnlyMemory<byte>> content)
        {
            if (file is null || file.Name.Length == 0)
            {
                throw new TaskRejectedException($"{what}: only files can be given to a container, and it names no file");
            }

            return new Entry(Path.GetFullPath(Path.Combine(folder, file.Name)), Id(file.Uid, "uid"), Id(file.Gid, "gid"), file.Mode, content);

            uint Id(string text, string kind) => text.Length == 0 ? 0
                : uint.TryParse(text, CultureInfo.InvariantCulture, out var id) ? id
                : throw new TaskRejectedException($"{what}: {kind} \"{text}\" is not a number");
        }
    }
}

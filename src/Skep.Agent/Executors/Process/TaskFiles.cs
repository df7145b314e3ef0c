using Docker.Swarmkit.V1;
using Skep.Supervisor.Protocol;
using Skep.V1;

namespace Skep.Agent.Executors.Process;

/// <summary>The secrets and configs of a process task: files of its private /run/secrets.</summary>
internal static class TaskFiles
{
    private const string Folder = "/run/secrets/";

    // With room for the rest of the request in its frame.
    private const long MaxBytes = Wire.MaxFrameBytes - (1024 * 1024);

    /// <exception cref="TaskRejectedException">One has no content here, or a target that cannot be.</exception>
    public static IReadOnlyList<PrivateFile> Of(ProcessSpec spec, ITaskDependencies dependencies)
    {
        var files = new List<PrivateFile>();
        foreach (var secret in spec.Secrets)
        {
            var target = Target("secrets", secret.SecretName, secret.File);
            files.Add(Of("secrets", secret.SecretName, target, dependencies.GetSecret(secret)));
        }
        foreach (var config in spec.Configs)
        {
            var target = Target("configs", config.ConfigName, config.File);
            files.Add(Of("configs", config.ConfigName, target, dependencies.GetConfig(config)));
        }
        if (files.GroupBy(file => file.Path).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw ProcessRequest.Rejected("secrets and configs", $"two of them have the target {Folder}{twice.Key}");
        }
        if (files.Sum(file => (long)file.Data.Length) > MaxBytes)
        {
            throw ProcessRequest.Rejected("secrets and configs", $"together more than {MaxBytes} bytes");
        }
        return files;
    }

    private static FileTarget Target(string field, string name, FileTarget? target) =>
        target ?? throw ProcessRequest.Rejected(field, $"{name} has no file as its target, which is all a process task can have");

    private static PrivateFile Of(string field, string name, FileTarget target, ReadOnlyMemory<byte> data)
    {
        var path = target.Name.StartsWith(Folder, StringComparison.Ordinal) ? target.Name[Folder.Length..] : target.Name;
        if (!StartRequest.IsPrivatePath(path))
        {
            throw ProcessRequest.Rejected(field,
                $"{name}: target '{target.Name}' is not below {Folder}, where a process task's files are: the rest of the file system is the host's");
        }
        return new PrivateFile(
            path, data.ToArray(), Owner(field, name, target.Uid), Owner(field, name, target.Gid),
            target.Mode == 0 ? 0x124u : target.Mode & 0x1FF);
    }

    private static uint Owner(string field, string name, string id) =>
        id.Length == 0
            ? StartRequest.TaskOwnId
            : HostUsers.Id(id) ?? throw ProcessRequest.Rejected(field, $"{name}: owner '{id}' is not a number below 4294967295");
}

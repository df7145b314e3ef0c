using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Spawning;

/// <summary>Says in words where and why a child failed.</summary>
internal static class ChildFailure
{
    public static string Describe(StartRequest request, ChildStep step, int error, int item)
    {
        var why = Libc.Describe(error);
        return step switch
        {
            ChildStep.Execute when error == Consts.ErrNoEntry && !request.Argv[0].Contains('/', StringComparison.Ordinal) =>
                $"command: '{request.Argv[0]}' is in no folder of the task's PATH on this node",
            ChildStep.Execute => $"command: cannot execute '{request.Argv[0]}': {why}",
            ChildStep.Directory => $"dir: cannot enter '{request.Directory}' as the task's user: {why}",
            ChildStep.Cgroup => $"cannot join the task's cgroup: {why}",
            ChildStep.Limits => $"ulimits: cannot set {Ulimit(request, item)}: {why}",
            ChildStep.Mount => $"mounts: cannot mount on '{request.Mounts[item].Target}': {why}",
            ChildStep.Secrets => $"cannot make the task's /run/secrets: {why}",
            ChildStep.ReadOnlyRoot => $"read_only: this kernel cannot make the file systems read-only: {why}",
            ChildStep.OomScore => $"oom_score_adj: cannot set {request.OomScoreAdj}: {why}",
            ChildStep.Hostname => $"hostname: cannot set '{request.Hostname}': {why}",
            ChildStep.User => $"user: cannot become user id {request.Uid}: {why}",
            ChildStep.Group => $"user: cannot become group id {request.Gid}: {why}",
            ChildStep.Groups => $"groups: cannot set them: {why}",
            ChildStep.Capabilities => $"capabilities: cannot set them: {why}",
            _ => $"cannot start the task ({step}): {why}",
        };
    }

    private static string Ulimit(StartRequest request, int item) =>
        item > 0 && item <= request.ResourceLimits.Count
            ? $"limit {request.ResourceLimits[item - 1].Resource}"
            : "the open files limit";
}

using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.Manager.Orchestration;
using Skep.V1;

namespace Skep.Manager.Why;

/// <summary>Says how a task ended.</summary>
internal static class EndingExplainer
{
    // Words of engines and registries about images that cannot be had.
    private static readonly string[] ImageWords =
    [
        "no such image", "pull access denied", "manifest unknown", "manifest for", "repository does not exist", "image not found", "pulling image", "pull image",
        "unauthorized: authentication required", "not found: manifest", "invalid reference format",
    ];

    /// <summary>Why a task that ended badly did; null for one that ended well, was stopped, or goes on.</summary>
    public static Reason? Explain(SwarmTask task, Node? node, string serviceName)
    {
        string where = node is null ? "its node" : ObjectNames.Of(node);
        Docker.Swarmkit.V1.TaskStatus status = task.Status ?? new();
        string words = status.Err.Length > 0 ? status.Err : status.Message;
        Reason? reason = status.State switch
        {
            TaskState.Rejected when IsAboutImage(words) => new()
            {
                Kind = Reason.Types.Kind.Image,
                Summary = $"{where} cannot get the image {task.Spec?.Container?.Image}: {words}",
                Mend = $"Check the image's name and tag, and that {where} reaches its registry; or load the image there.",
            },
            TaskState.Rejected => new()
            {
                Kind = Reason.Types.Kind.Rejected,
                Summary = $"{where} refused it: {words}",
                Mend = "Change the service as the message asks, with swarmctl service update.",
            },
            TaskState.Failed => new()
            {
                Kind = Reason.Types.Kind.Failed,
                Summary = $"it failed on {where}{ExitOf(status)}: {words}",
                Mend = $"See what it wrote: swarmctl service logs {serviceName}",
            },
            TaskState.Orphaned => new()
            {
                Kind = Reason.Types.Kind.NodeDown,
                Summary = $"{where} has been away so long that the task was given up",
                Mend = "Start the node's swarmd again, or remove the node.",
            },
            _ => null,
        };
        if (reason is not null)
        {
            reason.EngineMessage = words;
            reason.NodeId = task.NodeId;
            reason.TaskId = task.Id;
            reason.Since = Timestamp.FromDateTimeOffset(task.ReportedAt());
        }
        return reason;
    }

    private static string ExitOf(Docker.Swarmkit.V1.TaskStatus status) => status.Container is { ExitCode: not 0 } container ? $" with exit code {container.ExitCode}" : "";

    private static bool IsAboutImage(string words) => ImageWords.Any(w => words.Contains(w, StringComparison.OrdinalIgnoreCase));
}

using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Manager.Orchestration;

/// <summary>What the orchestration asks of a task or a node, in one place.</summary>
internal static class TaskFacts
{
    /// <summary>The state the agent last reported.</summary>
    public static TaskState Observed(this SwarmTask task) => task.Status?.State ?? TaskState.New;

    /// <summary>Whether the task is wanted to run or to complete.</summary>
    public static bool IsWanted(this SwarmTask task) => task.DesiredState <= TaskState.Complete;

    /// <summary>Whether the task has ended on its own account or on ours: it runs no more.</summary>
    public static bool HasEnded(this SwarmTask task) => task.Observed() > TaskState.Running;

    /// <summary>When the task was made.</summary>
    public static DateTimeOffset CreatedAt(this SwarmTask task) => TimeOf(task.Meta?.CreatedAt);

    /// <summary>
    /// When the task's state was reported. A manager's clock is trusted before an agent's, and Docker's first report has no time.
    /// </summary>
    public static DateTimeOffset ReportedAt(this SwarmTask task) =>
        TimeOf(task.Status?.AppliedAt ?? task.Status?.Timestamp ?? task.Meta?.UpdatedAt);

    /// <summary>Whether tasks on a node must move away: it is gone, down or drained.</summary>
    public static bool IsLost(Node? node) => IsUnreachable(node) || node!.Spec?.Availability == NodeSpec.Types.Availability.Drain;

    /// <summary>Whether nothing is to be heard from a node: it is gone or down.</summary>
    public static bool IsUnreachable(Node? node) => node is null || node.Status?.State == NodeStatus.Types.State.Down;

    /// <summary>
    /// Whether a task that is not wanted any more holds up its successor no longer: it ended, was never given to an agent, or
    /// its node cannot tell.
    /// </summary>
    public static bool IsOutOfTheWay(SwarmTask task, Node? node) =>
        task.HasEnded() || task.Observed() < TaskState.Assigned || IsUnreachable(node);

    private static DateTimeOffset TimeOf(Timestamp? time) =>
        time is null || time.Nanos is < 0 or > 999_999_999 || Math.Abs(time.Seconds) > 62_000_000_000 ? DateTimeOffset.UnixEpoch : time.ToDateTimeOffset();
}

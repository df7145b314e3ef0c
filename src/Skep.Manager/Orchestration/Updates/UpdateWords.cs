namespace Skep.Manager.Orchestration;

/// <summary>What an update says of itself; SwarmKit's words, which scripts look for.</summary>
internal static class UpdateWords
{
    public const string Started = "update in progress";
    public const string Completed = "update completed";
    public const string RollbackCompleted = "rollback completed";

    public static string Paused(string taskId) => $"update paused due to failure or early termination of task {taskId}";

    public static string RolledBack(string taskId) => $"update rolled back due to failure or early termination of task {taskId}";

    public static string RollbackPaused(string taskId) => $"rollback paused due to failure or early termination of task {taskId}";
}

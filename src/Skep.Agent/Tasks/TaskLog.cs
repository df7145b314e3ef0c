using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Tasks;

internal static partial class TaskLog
{
    [LoggerMessage(5101, LogLevel.Warning, "{Path} ended in a record that was never finished; {SizeBytes} bytes cut off")]
    public static partial void TornTailCut(ILogger logger, string path, int sizeBytes);

    [LoggerMessage(5102, LogLevel.Error, "writing the node's tasks to {Path} failed: {Reason}; the next change writes the file anew")]
    public static partial void StoreFailed(ILogger logger, string path, string reason);

    [LoggerMessage(5103, LogLevel.Debug, "task {TaskId}: {From} -> {To}, {Message}")]
    public static partial void Moved(ILogger logger, string taskId, TaskState from, TaskState to, string message);

    [LoggerMessage(5104, LogLevel.Warning, "task {TaskId} ended as {State}: {Error}")]
    public static partial void Ended(ILogger logger, string taskId, TaskState state, string error);

    [LoggerMessage(5105, LogLevel.Warning, "task {TaskId} cannot go on from {State} at present: {Error}; trying again in {DelayMs} ms")]
    public static partial void Retrying(ILogger logger, string taskId, TaskState state, string error, double delayMs);

    [LoggerMessage(5106, LogLevel.Warning, "removing task {TaskId} failed: {Error}; trying again in {DelayMs} ms")]
    public static partial void RemoveFailed(ILogger logger, string taskId, string error, double delayMs);

    [LoggerMessage(5107, LogLevel.Warning, "status of the container of task {TaskId} is not known: {Error}")]
    public static partial void StatusUnknown(ILogger logger, string taskId, string error);

    [LoggerMessage(5108, LogLevel.Information, "{Count} tasks of an earlier life are taken up again")]
    public static partial void Resumed(ILogger logger, int count);

    [LoggerMessage(5109, LogLevel.Information, "looking for leftovers of an earlier life failed: {Error}; trying again every {DelayMs} ms")]
    public static partial void OrphansKept(ILogger logger, string error, double delayMs);

    [LoggerMessage(5110, LogLevel.Error, "task {TaskId}: its manager failed, starting it again: {Error}")]
    public static partial void ManagerFailed(ILogger logger, string taskId, string error);

    [LoggerMessage(5111, LogLevel.Error, "work beside the tasks failed: {Error}")]
    public static partial void BackgroundFailed(ILogger logger, string error);
}

using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Docker;

internal static partial class DockerLog
{
    [LoggerMessage(5201, LogLevel.Warning, "pulling image {Image} failed: {Reason}")]
    public static partial void PullFailed(ILogger logger, string image, string reason);

    [LoggerMessage(5202, LogLevel.Warning, "the engine's events cannot be read: {Reason}; trying again in {DelayMs} ms")]
    public static partial void EventsLost(ILogger logger, string reason, double delayMs);

    [LoggerMessage(5203, LogLevel.Information, "container {Name} belongs to no task any more; removed")]
    public static partial void OrphanRemoved(ILogger logger, string name);

    [LoggerMessage(5204, LogLevel.Debug, "container {Name}: {Warning}")]
    public static partial void CreateWarning(ILogger logger, string name, string warning);
}

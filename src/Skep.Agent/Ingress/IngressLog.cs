using Microsoft.Extensions.Logging;

namespace Skep.Agent.Ingress;

internal static partial class IngressLog
{
    [LoggerMessage(5301, LogLevel.Information, "published port {Port}/{Protocol} is open")]
    public static partial void Opened(ILogger logger, int port, string protocol);

    [LoggerMessage(5302, LogLevel.Information, "published port {Port}/{Protocol} is closed: no task of the service runs here any more")]
    public static partial void Closed(ILogger logger, int port, string protocol);

    [LoggerMessage(5303, LogLevel.Warning, "published port {Port}/{Protocol} cannot be opened on this machine: {Reason}; trying again in {DelayMs} ms")]
    public static partial void NotOpened(ILogger logger, int port, string protocol, string reason, double delayMs);

    [LoggerMessage(5304, LogLevel.Debug, "relaying from port {Port}/{Protocol} to {Backend} failed: {Reason}")]
    public static partial void RelayFailed(ILogger logger, int port, string protocol, string backend, string reason);

    [LoggerMessage(5305, LogLevel.Warning, "published port {Port}/{Protocol} has {Count} connections or sessions open, the most it may; new ones wait or are dropped")]
    public static partial void Full(ILogger logger, int port, string protocol, int count);
}

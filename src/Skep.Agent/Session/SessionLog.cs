using Microsoft.Extensions.Logging;

namespace Skep.Agent.Session;

internal static partial class SessionLog
{
    [LoggerMessage(5001, LogLevel.Information, "registered with manager {Manager}, session {SessionId}")]
    public static partial void Registered(ILogger logger, string manager, string sessionId);

    [LoggerMessage(5002, LogLevel.Warning, "session with manager {Manager} failed: {Reason}; registering again within {DelayMs} ms")]
    public static partial void Failed(ILogger logger, string manager, string reason, double delayMs);

    [LoggerMessage(5003, LogLevel.Information, "the node's description changed; registering again")]
    public static partial void DescriptionChanged(ILogger logger);

    [LoggerMessage(5004, LogLevel.Warning, "manager {Manager} does not take logs")]
    public static partial void NoLogBroker(ILogger logger, string manager);

    [LoggerMessage(5005, LogLevel.Warning, "log subscription {Id}: {Reason}")]
    public static partial void LogsFailed(ILogger logger, string id, string reason);

    [LoggerMessage(5006, LogLevel.Warning, "the node's new settings could not be applied: {Reason}")]
    public static partial void ConfigureFailed(ILogger logger, string reason);

    [LoggerMessage(5007, LogLevel.Warning, "no manager is known; waiting until one is")]
    public static partial void NoManager(ILogger logger);
}

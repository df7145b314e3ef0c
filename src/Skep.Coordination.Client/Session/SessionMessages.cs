using Microsoft.Extensions.Logging;

namespace Skep.Coordination.Client.Session;

internal static partial class SessionMessages
{
    [LoggerMessage(1, LogLevel.Information, "session {Session:x} connected to {Server}, timeout {TimeoutMs} ms")]
    public static partial void Connected(ILogger logger, long session, string server, int timeoutMs);

    [LoggerMessage(2, LogLevel.Warning, "session {Session:x} lost its connection: {Reason}")]
    public static partial void Lost(ILogger logger, long session, string reason);

    [LoggerMessage(3, LogLevel.Debug, "a server did not take the session: {Reason}")]
    public static partial void ServerFailed(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Warning, "session {Session:x} has expired")]
    public static partial void Expired(ILogger logger, long session);
}

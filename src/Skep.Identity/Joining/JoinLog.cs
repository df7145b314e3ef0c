using Microsoft.Extensions.Logging;

namespace Skep.Identity.Joining;

internal static partial class JoinLog
{
    [LoggerMessage(2101, LogLevel.Warning, "failed to retrieve remote root CA certificate from {Address}: {Reason}; trying again in {DelayMs} ms")]
    public static partial void RootNotFetched(ILogger logger, string address, string reason, double delayMs);

    [LoggerMessage(2102, LogLevel.Warning, "requesting a certificate from {Address} failed: {Reason}; trying again in {DelayMs} ms")]
    public static partial void RequestFailed(ILogger logger, string address, string reason, double delayMs);

    [LoggerMessage(2103, LogLevel.Information, "certificate of node {NodeId} as {Role} received, valid until {NotAfter:u}")]
    public static partial void Received(ILogger logger, string nodeId, string role, DateTimeOffset notAfter);

    [LoggerMessage(2104, LogLevel.Debug, "certificate of node {NodeId} is not issued yet ({Reason}); asking again in {DelayMs} ms")]
    public static partial void NotIssuedYet(ILogger logger, string nodeId, string reason, double delayMs);

    [LoggerMessage(2105, LogLevel.Error, "failed to renew the certificate: {Reason}; trying again in {DelayMs} ms")]
    public static partial void RenewalFailed(ILogger logger, string reason, double delayMs);

    [LoggerMessage(2106, LogLevel.Information, "the cluster has another root CA now; it was checked by the one before")]
    public static partial void RootChanged(ILogger logger);
}

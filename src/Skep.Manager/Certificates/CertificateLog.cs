using Microsoft.Extensions.Logging;

namespace Skep.Manager.Certificates;

internal static partial class CertificateLog
{
    [LoggerMessage(3101, LogLevel.Information, "node {NodeId} asks to join as {Role}")]
    public static partial void JoinRequested(ILogger logger, string nodeId, string role);

    [LoggerMessage(3102, LogLevel.Warning, "a request for a certificate from {Address} was refused: {Reason}")]
    public static partial void Refused(ILogger logger, string address, string reason);

    [LoggerMessage(3103, LogLevel.Information, "certificate of node {NodeId} as {Role} issued")]
    public static partial void Issued(ILogger logger, string nodeId, string role);

    [LoggerMessage(3104, LogLevel.Error, "failed to sign the certificate request of node {NodeId}: {Reason}")]
    public static partial void NotSigned(ILogger logger, string nodeId, string reason);

    [LoggerMessage(3105, LogLevel.Error, "{Waiting} certificate requests wait: the cluster object has no root CA that can sign ({Reason})")]
    public static partial void NoSigner(ILogger logger, int waiting, string reason);

    [LoggerMessage(3106, LogLevel.Information, "{Streams} open streams of removed nodes closed")]
    public static partial void StreamsClosed(ILogger logger, int streams);

    [LoggerMessage(3107, LogLevel.Information, "network keys changed; the newest has lamport time {LamportTime}")]
    public static partial void NetworkKeysRotated(ILogger logger, ulong lamportTime);

    [LoggerMessage(3108, LogLevel.Information, "this manager's key file is {State} now")]
    public static partial void KeyFileLocked(ILogger logger, string state);
}

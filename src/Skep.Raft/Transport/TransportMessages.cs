using Microsoft.Extensions.Logging;

namespace Skep.Raft.Transport;

internal static partial class TransportMessages
{
    [LoggerMessage(EventId = 3301, Level = LogLevel.Information, Message = "raft member {Member:x} at {Address} is reached again")]
    public static partial void Connected(ILogger logger, ulong member, string address);

    [LoggerMessage(EventId = 3302, Level = LogLevel.Warning, Message = "raft member {Member:x} at {Address} cannot be reached: {Reason}")]
    public static partial void Unreachable(ILogger logger, ulong member, string address, string reason);

    [LoggerMessage(EventId = 3303, Level = LogLevel.Warning, Message = "the stream of raft member {Member:x} is closed: {Reason}")]
    public static partial void Refused(ILogger logger, ulong member, string reason);

    [LoggerMessage(EventId = 3304, Level = LogLevel.Information, Message = "snapshot {Index} of group {Group} was sent to raft member {Member:x}")]
    public static partial void SnapshotSent(ILogger logger, ulong index, ulong group, ulong member);

    [LoggerMessage(EventId = 3305, Level = LogLevel.Warning, Message = "snapshot {Index} of group {Group} could not be sent to raft member {Member:x}: {Reason}")]
    public static partial void SnapshotNotSent(ILogger logger, ulong index, ulong group, ulong member, string reason);
}

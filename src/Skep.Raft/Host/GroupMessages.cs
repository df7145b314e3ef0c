using Microsoft.Extensions.Logging;

namespace Skep.Raft;

internal static partial class GroupMessages
{
    [LoggerMessage(1, LogLevel.Information, "raft group {Group} opened: term {Term}, {Records} records read, last entry {LastIndex}, snapshot {SnapshotIndex}")]
    public static partial void Opened(ILogger logger, ulong group, ulong term, long records, ulong lastIndex, ulong snapshotIndex);

    [LoggerMessage(2, LogLevel.Warning, "the raft log in {Folder} ended in a torn record, which was never acknowledged; it was cut")]
    public static partial void TornTail(ILogger logger, string folder);

    [LoggerMessage(3, LogLevel.Information, "raft group {Group}: snapshot {Index} written, {Segments} log files left")]
    public static partial void SnapshotTaken(ILogger logger, ulong group, ulong index, int segments);

    [LoggerMessage(4, LogLevel.Warning, "raft group {Group}: snapshot {Index} could not be written, the log is kept; next attempt after some more entries")]
    public static partial void SnapshotFailed(ILogger logger, ulong group, ulong index, Exception error);

    [LoggerMessage(5, LogLevel.Error, "raft group {Group}: disk full, proposals are refused until there is room: {Reason}")]
    public static partial void Full(ILogger logger, ulong group, string reason);

    [LoggerMessage(6, LogLevel.Information, "raft group {Group}: there is room again, proposals are taken")]
    public static partial void RoomAgain(ILogger logger, ulong group);

    [LoggerMessage(7, LogLevel.Critical, "raft group {Group} stops")]
    public static partial void Stopped(ILogger logger, ulong group, Exception error);
}

namespace Skep.Raft.Log;

/// <summary>One record as written and as read back.</summary>
internal readonly record struct LogRecord(RecordType Type, ulong Group, ulong Index, ulong Term, ReadOnlyMemory<byte> Payload)
{
    public bool IsEntry => Type is RecordType.Command or RecordType.Configuration or RecordType.NoOp;

    public static LogRecord Command(ulong group, ulong index, ulong term, ReadOnlyMemory<byte> payload) =>
        new(RecordType.Command, group, index, term, payload);

    public static LogRecord NoOp(ulong group, ulong index, ulong term) =>
        new(RecordType.NoOp, group, index, term, default);

    public static LogRecord Configuration(ulong group, ulong index, ulong term, ReadOnlyMemory<byte> payload) =>
        new(RecordType.Configuration, group, index, term, payload);

    public static LogRecord SnapshotMarker(ulong group, ulong index, ulong term) =>
        new(RecordType.SnapshotMarker, group, index, term, default);

    public static LogRecord Truncate(ulong group, ulong fromIndex) =>
        new(RecordType.Truncate, group, fromIndex, 0, default);
}

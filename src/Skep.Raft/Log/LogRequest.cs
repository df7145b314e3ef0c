namespace Skep.Raft.Log;

/// <summary>What waits for the log's writer. A truncation or a snapshot's note stands alone, records are batched.</summary>
internal sealed class LogRequest(IReadOnlyList<LogRecord> records)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<LogRecord> Records => records;

    public bool IsBatchable => records is not [{ Type: RecordType.Truncate or RecordType.SnapshotMarker }];

    public long SizeBytes { get; } = records.Sum(r => (long)LogFormat.PaddedFrameSize(r.Payload.Length));
}

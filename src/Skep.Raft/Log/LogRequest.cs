namespace Skep.Raft.Log;

/// <summary>What waits for the log's writer. A truncation, a snapshot's note or other work stands alone, records are batched.</summary>
/// <param name="records">In the order in which they are to stand.</param>
/// <param name="inline">What awaits it goes on on the log's own thread, to whose next write it may add.</param>
internal sealed class LogRequest(IReadOnlyList<LogRecord> records, bool inline = false)
    : TaskCompletionSource(inline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<LogRecord> Records => records;

    /// <summary>What is done instead of writing records, of which there are none then.</summary>
    public Action<LogEngine>? Work { get; init; }

    public bool IsBatchable => Work is null && records is not [{ Type: RecordType.Truncate or RecordType.SnapshotMarker }];

    public long SizeBytes { get; } = LogFormat.PaddedFrameSizes(records);
}

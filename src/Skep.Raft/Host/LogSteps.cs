using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>
/// What a core wants written, as the log takes it (<see cref="LogEngine.Store"/>): records that may share a sync together, a truncation
/// or a snapshot's note alone, all in the core's order.
/// </summary>
internal static class LogSteps
{
    private const long MaxStepSizeBytes = 2 * 1024 * 1024;

    public static IEnumerable<IReadOnlyList<LogRecord>> Of(ulong group, IReadOnlyList<LogWrite> writes)
    {
        List<LogRecord> records = [];
        long size = 0;
        foreach (var write in writes)
        {
            if (write.HardState is { } hardState)
            {
                records.Add(hardState.ToRecord(group));
            }

            if (records.Count > 0 && (write.TruncateFrom is not null || write.Snapshot is not null))
            {
                yield return records;
                (records, size) = ([], 0);
            }

            if (write.TruncateFrom is { } from)
            {
                yield return [LogRecord.Truncate(group, from)];
            }

            if (write.Snapshot is { } snapshot)
            {
                yield return [LogRecord.SnapshotMarker(group, snapshot.Index, snapshot.Term)];
            }

            foreach (var entry in write.Entries)
            {
                records.Add(entry);
                size += entry.Payload.Length;
                if (size >= MaxStepSizeBytes)
                {
                    yield return records;
                    (records, size) = ([], 0);
                }
            }
        }

        if (records.Count > 0)
        {
            yield return records;
        }
    }
}

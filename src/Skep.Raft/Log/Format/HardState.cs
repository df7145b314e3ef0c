using System.Buffers.Binary;

namespace Skep.Raft.Log;

/// <summary>What a member must never forget: its term and whom it voted for in it; and how far it knew the log committed.</summary>
internal readonly record struct HardState(ulong Term, ulong Vote, ulong Commit)
{
    private const int PayloadSizeBytes = 8;

    /// <summary>Commit index in the record's index, term in its term, the vote as payload.</summary>
    public LogRecord ToRecord(ulong group)
    {
        var payload = new byte[PayloadSizeBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, Vote);
        return new LogRecord(RecordType.HardState, group, Commit, Term, payload);
    }

    public static bool TryRead(in LogRecord record, out HardState state)
    {
        state = default;
        if (record.Type != RecordType.HardState || record.Payload.Length != PayloadSizeBytes)
        {
            return false;
        }

        state = new HardState(record.Term, BinaryPrimitives.ReadUInt64LittleEndian(record.Payload.Span), record.Index);
        return true;
    }
}

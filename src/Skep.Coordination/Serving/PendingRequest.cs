using Skep.Jute;

namespace Skep.Coordination.Serving;

/// <summary>A request that waits: for the group, for what was committed before it, or for one before it.</summary>
internal sealed class PendingRequest
{
    public required int Xid { get; init; }

    public required OpCode Op { get; init; }

    /// <summary>A read's body.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>A write, as the leader takes it; null for a read.</summary>
    public byte[]? Write { get; init; }

    /// <summary>A write's number among its session's; 0 for a read.</summary>
    public long Number { get; init; }

    /// <summary>Of the last step of SASL, what the client is told for it.</summary>
    public byte[]? Proof { get; init; }

    /// <summary>Whether a write was sent to the leader.</summary>
    public bool IsSent { get; set; }

    /// <summary>Whether it has to wait until this member has all that was committed when it came.</summary>
    public bool NeedsBarrier { get; init; }

    /// <summary>Whether this member has that.</summary>
    public bool HasBarrier { get; set; }

    /// <summary>Of a request that is refused without being looked at.</summary>
    public ErrorCode Refusal { get; init; }

    /// <summary>When it came, in ms.</summary>
    public long CameMs { get; init; }

    public int SizeBytes => 96 + Body.Length + (Write?.Length ?? 0);
}

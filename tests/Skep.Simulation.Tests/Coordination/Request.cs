using Skep.Jute;

namespace Skep.Simulation;

/// <summary>What a client asked for on a connection and was not answered yet.</summary>
internal sealed class Request
{
    public required int Xid { get; init; }

    public required OpCode Op { get; init; }

    /// <summary>Looks at the answer: its header, and the body where there is none of an error.</summary>
    public required Action<ReplyHeader, ReadOnlyMemory<byte>> Answered { get; init; }

    /// <summary>The connection was lost: nobody knows what became of it.</summary>
    public Action? Lost { get; init; }

    /// <summary>What it writes; 0 for a read.</summary>
    public int Value { get; init; }

    /// <summary>The highest zxid that any client had been shown when this was asked.</summary>
    public long ShownZxid { get; init; }

    /// <summary>Whether its answer must show all that.</summary>
    public bool IsFresh { get; init; }
}

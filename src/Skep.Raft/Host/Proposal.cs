namespace Skep.Raft;

/// <summary>A command that waits for its index.</summary>
/// <param name="command">What is proposed.</param>
/// <param name="inTerm">The only term in which it may be taken; 0 for any.</param>
internal sealed class Proposal(ReadOnlyMemory<byte> command, ulong inTerm = 0)
    : TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public ReadOnlyMemory<byte> Command => command;

    public ulong InTerm => inTerm;
}

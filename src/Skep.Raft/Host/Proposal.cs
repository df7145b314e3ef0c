namespace Skep.Raft;

/// <summary>A command that waits for its index.</summary>
internal sealed class Proposal(ReadOnlyMemory<byte> command)
    : TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public ReadOnlyMemory<byte> Command => command;
}

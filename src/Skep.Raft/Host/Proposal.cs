namespace Skep.Raft;

/// <summary>A command that waits for its index. What awaits it goes on on the thread that answers it.</summary>
/// <param name="command">What is proposed.</param>
/// <param name="inTerm">The only term in which it may be taken; 0 for any.</param>
/// <param name="options">Where what awaits it goes on.</param>
internal sealed class Proposal(ReadOnlyMemory<byte> command, ulong inTerm = 0, TaskCreationOptions options = TaskCreationOptions.None) : TaskCompletionSource<ulong>(options)
{
    public ReadOnlyMemory<byte> Command => command;

    public ulong InTerm => inTerm;
}

namespace Skep.Raft;

/// <summary>A command that waits for its index. What awaits it goes on on the thread that answers it.</summary>
internal sealed class Proposal(ReadOnlyMemory<byte> command, TaskCreationOptions options = TaskCreationOptions.None) : TaskCompletionSource<ulong>(options)
{
    public ReadOnlyMemory<byte> Command => command;
}

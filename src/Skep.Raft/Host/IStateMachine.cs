namespace Skep.Raft;

/// <summary>
/// What a group agrees on. All calls come one after another from the group's own loop; what they do must follow
/// from their arguments alone, so that every member and every replay arrives at the same state.
/// </summary>
public interface IStateMachine
{
    /// <summary>Applies a committed command. An exception stops the group.</summary>
    /// <param name="index">The command's index in the log; rises with each call, not always by one.</param>
    /// <param name="command">As proposed; not to be kept after the call.</param>
    void Apply(ulong index, ReadOnlyMemory<byte> command);

    /// <summary>
    /// Takes hold of the state as it is now and returns at once, since commands wait meanwhile. The returned function
    /// writes that state, later and beside further commands.
    /// </summary>
    Func<Stream, CancellationToken, Task> CaptureSnapshot();

    /// <summary>Replaces the state by a snapshot's.</summary>
    /// <param name="index">The last command that is in the snapshot.</param>
    /// <param name="snapshot">What <see cref="CaptureSnapshot"/> wrote. Each piece was verified before it is given out.</param>
    /// <param name="ct">Ends the opening of the group.</param>
    Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct);
}

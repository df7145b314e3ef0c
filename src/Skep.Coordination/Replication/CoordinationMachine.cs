using Skep.Coordination.Serving;
using Skep.Raft;

namespace Skep.Coordination.Replication;

/// <summary>What the group applies its commands to: a member's tree.</summary>
internal sealed class CoordinationMachine(Member member) : IStateMachine
{
    public void Apply(ulong index, ReadOnlyMemory<byte> command) => member.Apply(command);

    public Func<Stream, CancellationToken, Task> CaptureSnapshot()
    {
        Snapshots.TreeSnapshot captured = member.Capture();
        return (output, ct) => Task.Run(() => captured.WriteTo(output), ct);
    }

    public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct) => Task.Run(() => member.Restore(snapshot), ct);
}

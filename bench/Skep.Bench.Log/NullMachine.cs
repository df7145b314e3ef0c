using Skep.Raft;

namespace Skep.Bench.Log;

internal sealed class NullMachine : IStateMachine
{
    public void Apply(ulong index, ReadOnlyMemory<byte> command)
    {
    }

    public Func<Stream, CancellationToken, Task> CaptureSnapshot() => static (_, _) => Task.CompletedTask;

    public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct) => Task.CompletedTask;
}

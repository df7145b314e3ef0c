using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>The store as what the Raft group agrees on.</summary>
internal sealed class StoreStateMachine(ClusterStore store) : IStateMachine
{
    public void Apply(ulong index, ReadOnlyMemory<byte> command) => store.Apply(index, command.Span);

    public Func<Stream, CancellationToken, Task> CaptureSnapshot()
    {
        // Committed objects never change, so holding on to them is a snapshot; encoding them can take its time.
        Snapshot snapshot = store.TakeSnapshot();
        return (output, ct) =>
        {
            SnapshotStream.Write(snapshot, output, ct);
            return Task.CompletedTask;
        };
    }

    public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct)
    {
        try
        {
            store.Restore(index, Snapshot.Parser.ParseFrom(snapshot));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"snapshot {index} is none of the store: {e.Message}", e);
        }
        return Task.CompletedTask;
    }
}

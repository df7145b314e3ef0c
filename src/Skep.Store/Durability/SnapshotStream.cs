using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Skep.Store.Durability;

/// <summary>
/// Writes a snapshot message in small pieces. Each piece is a snapshot with some of the objects; written one behind the other
/// they are, by protobuf's rule for merging, the one message with all of them. So no piece has to know the size of the whole.
/// </summary>
internal static class SnapshotStream
{
    private const int PieceObjects = 200;

    public static void Write(Snapshot snapshot, Stream output, CancellationToken ct)
    {
        using var coded = new CodedOutputStream(output, leaveOpen: true);
        new Snapshot { Version = snapshot.Version, Membership = snapshot.Membership, Store = new() }.WriteTo(coded);
        Write(static s => s.Nodes);
        Write(static s => s.Services);
        Write(static s => s.Networks);
        Write(static s => s.Tasks);
        Write(static s => s.Clusters);
        Write(static s => s.Secrets);
        Write(static s => s.Resources);
        Write(static s => s.Extensions);
        Write(static s => s.Configs);
        Write(static s => s.Volumes);

        void Write<T>(Func<StoreSnapshot, RepeatedField<T>> field)
        {
            foreach (T[] objects in field(snapshot.Store).Chunk(PieceObjects))
            {
                ct.ThrowIfCancellationRequested();
                var piece = new Snapshot { Store = new() };
                field(piece.Store).AddRange(objects);
                piece.WriteTo(coded);
            }
        }
    }
}

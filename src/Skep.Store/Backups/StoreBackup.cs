using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Store.Durability;

namespace Skep.Store.Backups;

/// <summary>The whole store as a stream of bytes, as a snapshot of the log has it, and back.</summary>
public static class StoreBackup
{
    /// <summary>All objects of one moment, and the version of the store that they are.</summary>
    public static (ulong Version, Snapshot Content) Capture(ClusterStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.Read(_ => (store.Version, store.TakeSnapshot()));
    }

    /// <summary>Writes them in small pieces.</summary>
    public static void Write(Snapshot content, Stream output, CancellationToken ct) => SnapshotStream.Write(content, output, ct);

    /// <summary>Reads them to the stream's end.</summary>
    /// <exception cref="InvalidDataException">The bytes are none of a store.</exception>
    public static Snapshot Read(Stream input)
    {
        try
        {
            return Snapshot.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"this is no copy of a store: {e.Message}", e);
        }
    }
}

using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Store;
using Contract = Docker.Swarmkit.V1.Control;

namespace Skep.Manager.Control;

/// <summary>
/// What people and tools change the cluster with. Every request is checked whole before anything is written, and what it
/// writes is one transaction. Rules, words and codes are SwarmKit's (moby/swarmkit manager/controlapi).
/// </summary>
public sealed partial class ControlService : Contract.ControlBase
{
    private readonly ClusterStore store;
    private readonly IManagerMembers members;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>The service over a store.</summary>
    public ControlService(ClusterStore store, IManagerMembers members, TimeProvider time, ILogger<ControlService> logger)
    {
        this.store = store;
        this.members = members;
        this.time = time;
        this.logger = logger;
    }

    private Timestamp Now => Timestamp.FromDateTimeOffset(time.GetUtcNow());

    /// <summary>Runs a transaction; what the store refuses becomes an error of the call.</summary>
    private async Task WriteAsync(Action<WriteTransaction> change, ServerCallContext? context)
    {
        try
        {
            await store.UpdateAsync(change, context?.CancellationToken ?? default).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            throw Refusal.From(e);
        }
    }

    /// <summary>A copy of an object to change, in the version the client has seen: the store refuses it if that is stale.</summary>
    private static T ToChange<T>(T stored, Docker.Swarmkit.V1.Version seen)
        where T : class, IStoreObject
    {
        var copy = (T)stored.Copy();
        copy.Meta ??= new();
        copy.Meta.Version = seen.Clone();
        return copy;
    }

    /// <summary>Every object of a type that passes, by id.</summary>
    private List<T> List<T>(Func<T, bool> passes)
        where T : class, IStoreObject
    {
        List<T> found = store.Read(view => view.List<T>().Where(passes).ToList());
        found.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id));
        return found;
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "{Kind} {Name} ({Id}) {What}")]
    private partial void LogChange(string kind, string name, string id, string what);
}

using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Store;

namespace Skep.Manager.Allocation;

/// <summary>Something to be written into one object, as long as that is the one the allocator saw.</summary>
internal abstract record Allocation
{
    /// <summary>Writes it.</summary>
    /// <returns>False when the object changed meanwhile.</returns>
    public abstract bool TryWrite(WriteTransaction tx, Timestamp now);

    /// <summary>Whether the stored object is the one that was seen.</summary>
    protected static bool IsCurrent<T>(WriteTransaction tx, T seen)
        where T : class, Skep.Api.IStoreObject =>
        tx.Get<T>(seen.Id) is { } stored && stored.Meta.Version.Index == seen.Meta.Version.Index;
}

/// <summary>A network with its driver state, subnets and ids.</summary>
internal sealed record NetworkAllocation(Network Seen, Network Result) : Allocation
{
    /// <inheritdoc/>
    public override bool TryWrite(WriteTransaction tx, Timestamp now)
    {
        if (!IsCurrent(tx, Seen))
        {
            return false;
        }
        tx.Update(Result.Clone());
        return true;
    }
}

/// <summary>A service's ports and virtual addresses.</summary>
internal sealed record ServiceAllocation(Service Seen, Endpoint Endpoint) : Allocation
{
    /// <inheritdoc/>
    public override bool TryWrite(WriteTransaction tx, Timestamp now)
    {
        if (!IsCurrent(tx, Seen) || !Endpoint.VirtualIps.All(v => tx.Get<Network>(v.NetworkId) is { } network && NetworkTable.IsAllocated(network)))
        {
            return false;
        }
        Service changed = Seen.Clone();
        changed.Endpoint = Endpoint;
        tx.Update(changed);
        return true;
    }
}

/// <summary>A node's own addresses on the networks its tasks use.</summary>
internal sealed record NodeAllocation(Node Seen, IReadOnlyList<NetworkAttachment> Attachments) : Allocation
{
    /// <inheritdoc/>
    public override bool TryWrite(WriteTransaction tx, Timestamp now)
    {
        if (!IsCurrent(tx, Seen))
        {
            return false;
        }
        Node changed = Seen.Clone();
        changed.Attachments.Clear();
        changed.Attachments.Add(Attachments);
        tx.Update(changed);
        return true;
    }
}

/// <summary>A task that has all it needs: it steps from NEW to PENDING.</summary>
internal sealed record TaskAllocation(SwarmTask Seen, IReadOnlyList<NetworkAttachment> Attachments) : Allocation
{
    /// <summary>SwarmKit's words for it.</summary>
    public const string Message = "pending task scheduling";

    /// <inheritdoc/>
    public override bool TryWrite(WriteTransaction tx, Timestamp now)
    {
        if (!IsCurrent(tx, Seen))
        {
            return false;
        }
        // Lists are shared in the cheap copy, so a list that changes wants a deep one.
        bool listsChange = Attachments.Count > 0 || Seen.Networks.Count > 0;
        SwarmTask changed = listsChange ? Seen.Clone() : Seen.SharingCopy();
        if (Seen.ServiceId.Length > 0)
        {
            if (tx.Get<Service>(Seen.ServiceId) is not { } service || !PublishedPorts.AreAllocated(service))
            {
                return false;
            }
            changed.Endpoint = service.Endpoint;
        }
        if (listsChange)
        {
            changed.Networks.Clear();
        }
        foreach (NetworkAttachment attachment in Attachments)
        {
            // A network that was allocated in the same batch has its version only now.
            if (tx.Get<Network>(attachment.Network.Id) is not { } network || !NetworkTable.IsAllocated(network))
            {
                return false;
            }
            NetworkAttachment copy = attachment.Clone();
            copy.Network = network;
            changed.Networks.Add(copy);
        }
        changed.Status = new() { State = TaskState.Pending, Message = Message, Timestamp = now };
        tx.Update(changed);
        return true;
    }
}

/// <summary>A task that stays NEW and says why.</summary>
internal sealed record TaskRefusal(SwarmTask Seen, string Why) : Allocation
{
    /// <inheritdoc/>
    public override bool TryWrite(WriteTransaction tx, Timestamp now)
    {
        if (!IsCurrent(tx, Seen))
        {
            return false;
        }
        SwarmTask changed = Seen.Clone();
        changed.Status ??= new();
        changed.Status.Err = Why;
        changed.Status.Timestamp = now;
        tx.Update(changed);
        return true;
    }
}

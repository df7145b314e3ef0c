// The generated messages that the store keeps, joined to its interface.
#pragma warning disable CA1050 // the namespace is that of the contracts

using Skep.Api;

namespace Docker.Swarmkit.V1;

public sealed partial class Node : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Service : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Task : IStoreObject
{
    /// <summary>
    /// A copy that shares its parts with this one, unknown fields included, at a fraction of a clone's cost. Only whole single
    /// fields may be set in it (status, node, endpoint…); parts and lists belong to both and are never changed.
    /// </summary>
    public Task SharingCopy() => (Task)MemberwiseClone();

    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Network : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Cluster : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Secret : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Config : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Resource : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Extension : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

public sealed partial class Volume : IStoreObject
{
    IStoreObject IStoreObject.Copy() => Clone();
}

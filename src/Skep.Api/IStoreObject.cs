using Docker.Swarmkit.V1;
using Google.Protobuf;

namespace Skep.Api;

/// <summary>An object that the cluster's store keeps: it has an id and a version.</summary>
public interface IStoreObject : IMessage
{
    /// <summary>Identifies the object within its type; 25 characters base36 (see <see cref="Ids"/>).</summary>
    string Id { get; set; }

    /// <summary>Version and times of creation and last change, set by the store.</summary>
    Meta Meta { get; set; }

    /// <summary>A deep copy, unknown fields included, that its owner may change.</summary>
    IStoreObject Copy();
}

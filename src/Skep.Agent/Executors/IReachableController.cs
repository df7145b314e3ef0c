using System.Net;

namespace Skep.Agent.Executors;

/// <summary>A controller whose task can be reached from this machine, which lets the node carry the service's published ports to it.</summary>
public interface IReachableController
{
    /// <summary>Where the running task listens on its target ports; null when it has no network that this machine reaches.</summary>
    /// <exception cref="TaskTemporaryException">It cannot be asked at present.</exception>
    Task<IPAddress?> GetAddressAsync(CancellationToken cancellationToken);
}

using Docker.Swarmkit.V1;

namespace Skep.Manager.Control;

/// <summary>The network that carries ports published on every node.</summary>
internal static class IngressNetwork
{
    /// <summary>Whether a network is that one.</summary>
    public static bool Is(Network network) => network.Spec?.Ingress ?? false;

    /// <summary>Whether a service publishes a port on every node.</summary>
    public static bool IsNeededBy(Service service) =>
        service.Spec?.Endpoint?.Ports.Any(p => p.PublishMode == PortConfig.Types.PublishMode.Ingress) ?? false;
}

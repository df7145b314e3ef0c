using Docker.Swarmkit.V1;
using Skep.Store;
using Mode = Docker.Swarmkit.V1.PortConfig.Types.PublishMode;

namespace Skep.Manager.Control.Services;

/// <summary>
/// Published ports of different services. A port of the mesh is a whole cluster's; ports of the host mode may be shared by
/// services, since the scheduler keeps them apart.
/// </summary>
internal static class PortConflicts
{
    /// <summary>Refuses a spec that publishes what another service publishes.</summary>
    /// <param name="view">The cluster.</param>
    /// <param name="endpoint">What the spec publishes; may be null.</param>
    /// <param name="serviceId">The service that is updated, which does not conflict with itself; null for a new one.</param>
    public static void Check(IStoreView view, EndpointSpec? endpoint, string? serviceId)
    {
        var wanted = new Dictionary<(uint, PortConfig.Types.Protocol), Mode>();
        foreach (PortConfig port in endpoint?.Ports ?? [])
        {
            if (port.PublishedPort != 0)
            {
                wanted[(port.PublishedPort, port.Protocol)] = port.PublishMode;
            }
        }
        if (wanted.Count == 0)
        {
            return;
        }
        foreach (Service service in view.List<Service>())
        {
            if (service.Id == serviceId)
            {
                continue;
            }
            foreach (PortConfig port in (service.Spec?.Endpoint?.Ports ?? []).Concat(service.Endpoint?.Ports ?? []))
            {
                if (port.PublishedPort != 0
                    && wanted.TryGetValue((port.PublishedPort, port.Protocol), out Mode mode)
                    && (mode == Mode.Ingress || port.PublishMode == Mode.Ingress))
                {
                    string kind = port.PublishMode == Mode.Ingress ? "an ingress port" : "a host-published port";
                    throw Refusal.Invalid($"port '{port.PublishedPort}' is already in use by service '{service.Spec?.Annotations?.Name}' ({service.Id}) as {kind}");
                }
            }
        }
    }
}

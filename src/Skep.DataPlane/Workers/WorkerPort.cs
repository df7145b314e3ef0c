using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Workers;

/// <summary>A port of a worker and the way to the kernel that goes with it.</summary>
/// <param name="Wire">Where clients, backends and routers are.</param>
/// <param name="Kernel">Gets what is not the balancer's, and what comes out of it leaves by the wire; null where there is none.</param>
public sealed record WorkerPort(IPort Wire, IPort? Kernel = null);

using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>What a table needs to know of those who count.</summary>
/// <param name="Clients">Counts the services' clients.</param>
/// <param name="Counted">Packets and bytes that a backend's slot has counted until now, for whoever had it.</param>
internal sealed record TableTelemetry(ClientRegister Clients, Func<ushort, (long Packets, long Bytes)> Counted);

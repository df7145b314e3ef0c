using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.AfPacket;

namespace Skep.DataPlane.Engine;

/// <summary>The drivers by name.</summary>
internal static class PortDrivers
{
    /// <summary>Opens a port by its driver, with a queue for each worker's pool.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static OpenWires Open(PortSpec spec, IReadOnlyList<PacketPool> pools) => spec.Driver switch
    {
        "afpacket" when spec.Options.Count > 0 =>
            throw new IOException($"port {spec.Driver}:{spec.Device}: '{spec.Options.Keys.First()}' is no word of it: expected address, gateway, tap, fallback"),
        "afpacket" => AfPacket(spec.Device, pools),
        "afxdp" => AfXdpWords.Open(spec, pools),
        "dpdk" => DpdkWords.Open(spec, pools),
        _ => throw new IOException($"port {spec.Driver}:{spec.Device}: there is no such driver"),
    };

    /// <summary>Opens a device by packet sockets.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static OpenWires AfPacket(string device, IReadOnlyList<PacketPool> pools) => new(device, AfPacketPort.OpenFor(device, pools));
}

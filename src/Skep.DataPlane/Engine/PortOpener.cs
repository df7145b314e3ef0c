using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Tap;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Engine;

/// <summary>A port that was opened, with a queue for each worker, and what its driver could not do as asked.</summary>
internal sealed record OpenPort(PortSpec Spec, string Driver, OpenWires Wires, IReadOnlyList<TapPort> Kernels, string Note) : IDisposable
{
    public string Name => Wires.Name;

    public MacAddress Mac => Wires.Queues[0].Mac;

    public WorkerPort ForWorker(int number) => new(Wires.Queues[number], Kernels.Count > 0 ? Kernels[number] : null);

    /// <summary>A count over all queues.</summary>
    public ulong Sum(Func<PortCounters, long> count) => (ulong)Wires.Queues.Sum(q => count(q.Counters));

    /// <summary>Frames that came and could not be handed over, by any queue.</summary>
    public ulong Missed() => (ulong)Wires.Queues.Sum(static q => q.ReadMissed());

    public void Dispose()
    {
        foreach (TapPort kernel in Kernels)
        {
            kernel.Dispose();
        }
        Wires.Dispose();
    }
}

/// <summary>Opens ports by what their users call them.</summary>
internal static class PortOpener
{
    /// <summary>Opens all of them, or none.</summary>
    /// <param name="specs">The ports.</param>
    /// <param name="pools">The buffers of each worker.</param>
    /// <exception cref="IOException">One cannot be opened; the message says which, why, and how to mend it.</exception>
    public static IReadOnlyList<OpenPort> Open(IReadOnlyList<PortSpec> specs, IReadOnlyList<PacketPool> pools)
    {
        List<OpenPort> open = [];
        try
        {
            foreach (PortSpec spec in specs)
            {
                open.Add(Open(spec, pools));
            }
            return open;
        }
        catch
        {
            open.ForEach(static p => p.Dispose());
            throw;
        }
    }

    private static OpenPort Open(PortSpec spec, IReadOnlyList<PacketPool> pools)
    {
        (OpenWires wires, string driver) = OpenWires(spec, pools);
        try
        {
            return new OpenPort(spec, driver, wires, spec.Tap is { } tap ? OpenTap(tap, spec, wires.Queues[0].Mac, pools) : [], wires.Note);
        }
        catch
        {
            wires.Dispose();
            throw;
        }
    }

    private static (OpenWires Wires, string Driver) OpenWires(PortSpec spec, IReadOnlyList<PacketPool> pools)
    {
        try
        {
            return (PortDrivers.Open(spec, pools), spec.Driver);
        }
        catch (Exception e) when (spec.Fallback is not null && e is IOException or NotSupportedException)
        {
            return (PortDrivers.AfPacket(spec.Fallback!, pools) with { Note = $"{spec.Driver}:{spec.Device} did not start, so its fallback works: {e.Message}" }, "afpacket");
        }
    }

    private static IReadOnlyList<TapPort> OpenTap(string name, PortSpec spec, MacAddress mac, IReadOnlyList<PacketPool> pools)
    {
        IReadOnlyList<TapPort> queues = TapPort.OpenFor(name, mac, pools);
        try
        {
            int number = 0;
            foreach (LinkAddress address in spec.Interface.Addresses)
            {
                NetDevice.AddAddress(name, address, number);
                number += address.Address.IsV4 ? 1 : 0;
            }
            return queues;
        }
        catch
        {
            foreach (TapPort queue in queues)
            {
                queue.Dispose();
            }
            throw;
        }
    }
}

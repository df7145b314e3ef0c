using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Engine;

/// <summary>A device that was opened, with a port for each worker.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Queues">The ports, in the order of the workers.</param>
/// <param name="Device">What the ports share; null where they share nothing.</param>
internal sealed record OpenWires(string Name, IReadOnlyList<IPort> Queues, IDisposable? Device = null) : IDisposable
{
    /// <summary>What the driver could not do as asked.</summary>
    public string Note { get; init; } = "";

    /// <summary>Opens the ports of a device, or closes it.</summary>
    public static OpenWires Of(string name, IDisposable device, int count, Func<int, IPort> open)
    {
        List<IPort> queues = [];
        var wires = new OpenWires(name, queues, device);
        try
        {
            while (queues.Count < count)
            {
                queues.Add(open(queues.Count));
            }
            return wires;
        }
        catch
        {
            wires.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (IPort queue in Queues)
        {
            queue.Dispose();
        }
        Device?.Dispose();
    }
}

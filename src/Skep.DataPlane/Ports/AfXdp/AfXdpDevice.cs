using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>
/// A network device with our XDP program on it, which leads what comes by some of its queues to AF_XDP sockets. An
/// <see cref="AfXdpPort"/> is made for each of them, each for a worker of its own; the device spreads frames over its queues.
/// </summary>
public sealed class AfXdpDevice : IDisposable
{
    private readonly XdpSetup _setup;
    private readonly XdpProgram? _program;

    /// <summary>Attaches the program. It takes root, or the capabilities CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.</summary>
    /// <param name="device">The device's name in the calling thread's network namespace.</param>
    /// <param name="pools">The buffers of each queue; as many queues as there are pools, from the options' queue on.</param>
    /// <param name="options">How to open it.</param>
    /// <exception cref="ArgumentException">The options or a pool cannot be; the message says what can.</exception>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what it takes.</exception>
    public AfXdpDevice(string device, IReadOnlyList<PacketPool> pools, AfXdpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(pools);
        ArgumentOutOfRangeException.ThrowIfZero(pools.Count, nameof(pools));
        (Name, Pools, Options) = (device, [.. pools], options ?? new AfXdpOptions());
        foreach (PacketPool pool in pools)
        {
            Options.Check(pool);
        }
        _setup = new XdpSetup(device, Options, pools.Count);
        try
        {
            _program = new XdpProgram(device, _setup.Index, Options.Queue + pools.Count, Options.Generic);
            _setup.Attached(_program.IsGeneric, pools[0]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its Ethernet address.</summary>
    public MacAddress Mac => _setup.Mac;

    /// <summary>The longest IP packet that it sends, in bytes.</summary>
    public int MtuBytes => _setup.MtuBytes;

    /// <summary>What was switched off, is done otherwise than asked, or had better be known, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _setup.Notes;

    /// <summary>The buffers of each queue.</summary>
    internal IReadOnlyList<PacketPool> Pools { get; }

    internal AfXdpOptions Options { get; }

    internal bool HandsOverPartialChecksums => _setup.HandsOverPartialChecksums;

    /// <summary>Binds a socket to one of the queues and has what comes by it go there.</summary>
    internal void Lead(int queue, XdpSocket socket)
    {
        int number = Options.Queue + queue;
        _setup.Bind(socket, number);
        _program!.Route(number, socket.Descriptor);
    }

    /// <summary>Takes the program off the device.</summary>
    public void Dispose()
    {
        _program?.Dispose();
        _setup.Dispose();
    }
}

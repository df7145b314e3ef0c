using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>Gets a device ready for AF_XDP and writes down what had to be done otherwise than asked.</summary>
internal sealed class XdpSetup : IDisposable
{
    private const int VlanTagsBytes = 8;
    private readonly List<string> _notes = [];
    // An AF_XDP socket cannot be asked about devices.
    private readonly KernelSocket _socket = new(KernelSocket.Internet);
    private readonly string _device;
    private readonly AfXdpOptions _options;
    private readonly int _queues;

    /// <summary>Looks at the device.</summary>
    /// <exception cref="IOException">It is not there, is down, or has no such queues.</exception>
    public XdpSetup(string device, AfXdpOptions options, int queues)
    {
        (_device, _options, _queues) = (device, options, queues);
        try
        {
            Index = NetDevice.Index(_socket.Descriptor, device);
            Mac = NetDevice.Mac(_socket.Descriptor, device);
            MtuBytes = NetDevice.Mtu(_socket.Descriptor, device);
            Look();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The device's number.</summary>
    public int Index { get; }

    /// <summary>Its Ethernet address.</summary>
    public MacAddress Mac { get; }

    /// <summary>The longest IP packet that it sends.</summary>
    public int MtuBytes { get; }

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Whether senders leave checksums undone and the device hands them over so.</summary>
    public bool HandsOverPartialChecksums { get; private set; }

    /// <summary>Binds a socket to a queue, with zero copy where asked for and possible.</summary>
    public void Bind(XdpSocket socket, int queue)
    {
        int error;
        if (_options.ZeroCopy && socket.IsUnaligned)
        {
            Note($"frames of '{_device}' are copied: zero copy takes a pool whose buffers lie within pages");
        }
        else if (_options.ZeroCopy)
        {
            error = socket.Bind(Index, queue, zeroCopy: true);
            if (error == 0)
            {
                return;
            }
            string driver = Ethtool.Driver(_socket.Descriptor, _device);
            Note($"frames of '{_device}' are copied: the driver {(driver.Length == 0 ? "behind it" : driver)} refuses zero copy (errno {error})");
        }
        error = socket.Bind(Index, queue, zeroCopy: false);
        if (error != 0)
        {
            throw Libc.Failed(error switch
            {
                Libc.Busy => $"queue {queue} of '{_device}' belongs to another AF_XDP socket",
                Libc.Invalid => $"'{_device}' has no queue {queue} to receive and to send by",
                _ => $"queue {queue} of '{_device}' cannot be bound to",
            }, error);
        }
    }

    /// <summary>Switches off what XDP does not go with, now that the program is attached.</summary>
    public void Attached(bool generic, PacketPool pool)
    {
        bool inMemory = Ethtool.Driver(_socket.Descriptor, _device) is "veth" or "tun";
        HandsOverPartialChecksums = generic || inMemory;
        if (generic)
        {
            _notes.Add(_options.Generic
                ? $"the XDP program runs behind the driver of '{_device}', as asked for"
                : $"the driver of '{_device}' runs no XDP programs: it runs behind the driver, which costs time");
            // Behind the driver, segments that were joined again would be too long for a buffer.
            if (Ethtool.SwitchOffGro(_socket.Descriptor, _device))
            {
                _notes.Add($"gro of '{_device}' is switched off, and stays so: ethtool -K {_device} gro on");
            }
            if (inMemory)
            {
                _notes.Add($"frames that the sender left to '{_device}' to cut are lost: ethtool -K … tso off gso off at the other end");
            }
        }
        // A device without hardware takes no tag off.
        uint off = inMemory ? 0 : Ethtool.SwitchOffFlags(_socket.Descriptor, _device, Ethtool.FlagVlanTags | Ethtool.FlagLargeReceive);
        if ((off & Ethtool.FlagVlanTags) != 0)
        {
            _notes.Add($"rxvlan of '{_device}' is switched off, and stays so, since a tag taken off by the device would be lost: ethtool -K {_device} rxvlan on");
        }
        if ((off & Ethtool.FlagLargeReceive) != 0)
        {
            _notes.Add($"lro of '{_device}' is switched off, and stays so: ethtool -K {_device} lro on");
        }
        int longest = MtuBytes + PacketParser.EthernetBytes + VlanTagsBytes, holds = pool.StrideBytes - XdpSocket.HeadroomBytes;
        if (longest > holds)
        {
            _notes.Add($"frames of '{_device}' over {holds} bytes are lost (its MTU allows {longest}): a pool of 4096-byte buffers, or a smaller MTU");
        }
    }

    // Once, though it is so with every queue.
    private void Note(string note)
    {
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }
    }

    private void Look()
    {
        if (!NetDevice.IsUp(_socket.Descriptor, _device))
        {
            throw new IOException($"'{_device}' is down: ip link set {_device} up");
        }
        if (Ethtool.ReceiveQueues(_socket.Descriptor, _device) is { } queues)
        {
            int end = _options.Queue + _queues;
            if (end > queues)
            {
                throw new IOException(_queues == 1
                    ? $"'{_device}' has no queue {_options.Queue}: it has {queues}, counted from 0"
                    : $"'{_device}' has too few queues for {_queues} workers from queue {_options.Queue} on: it has {queues}; make them more (ethtool -L {_device} combined {end}, veth: rx {end} tx {end}), or the workers fewer");
            }
            if (queues > _queues)
            {
                string served = _queues == 1 ? $"queue {_options.Queue} of {queues} of '{_device}' is" : $"queues {_options.Queue} to {end - 1} of {queues} of '{_device}' are";
                _notes.Add($"{served} served here, what comes by the others goes to the kernel; nothing does where there are no others: ethtool -L {_device} combined {_queues} (veth: rx {_queues})");
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}

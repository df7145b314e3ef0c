using System.Runtime.InteropServices;
using System.Text;
using Skep.DataPlane.Native;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>
/// Our program on a device. It is attached by a link, which the kernel undoes when its last descriptor is closed: when this is
/// disposed, or the process ends, however it ends.
/// </summary>
internal sealed class XdpProgram : IDisposable
{
    /// <summary>The name under which bpftool shows the program and its map.</summary>
    public const string Label = "skep_xsk";
    private const uint GenericMode = 1 << 1, DriverMode = 1 << 2;
    private const int NoSpace = 28, Range = 34;
    private readonly string _device;
    private int _map = -1, _program = -1, _link = -1;

    /// <summary>Loads and attaches it; until a socket is given, everything goes to the kernel.</summary>
    /// <param name="device">The device's name.</param>
    /// <param name="index">Its number in the calling thread's network namespace.</param>
    /// <param name="queues">One more than the highest queue that will be asked for.</param>
    /// <param name="generic">Whether to pass the driver by.</param>
    /// <exception cref="IOException">It cannot; the message says what failed and what it takes.</exception>
    public XdpProgram(string device, int index, int queues, bool generic)
    {
        _device = device;
        try
        {
            _map = Checked(Bpf.CreateXskMap(Label, queues),
                "no map for sockets can be made (it takes root, or CAP_BPF and CAP_NET_ADMIN; before Linux 5.11 also a memlock limit, ulimit -l)");
            Load();
            Attach(index, generic);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether it runs behind the driver, because that was asked for or the driver runs none.</summary>
    public bool IsGeneric { get; private set; }

    /// <summary>Has what comes by a queue go to a socket.</summary>
    public void Route(int queue, int socket) =>
        Checked(Bpf.SetMapEntry(_map, (uint)queue, (uint)socket), $"queue {queue} of '{_device}' cannot be led to the socket");

    private void Load()
    {
        ulong[] instructions = XdpInstructions.Assemble(_map);
        _program = Bpf.LoadXdp(Label, instructions, []);
        if (_program >= 0)
        {
            return;
        }
        int error = Marshal.GetLastPInvokeError();
        byte[] log = new byte[65_536];
        _program = Bpf.LoadXdp(Label, instructions, log);
        if (_program < 0)
        {
            string said = Encoding.UTF8.GetString(log.AsSpan(0, Math.Max(0, log.AsSpan().IndexOf((byte)0)))).Trim();
            throw Libc.Failed($"the kernel refuses the XDP program (it takes root, or CAP_BPF and CAP_NET_ADMIN); its verifier says: {(said.Length == 0 ? "nothing" : said)}", error);
        }
    }

    private void Attach(int index, bool generic)
    {
        _link = Bpf.LinkXdp(_program, index, generic ? GenericMode : DriverMode);
        if (_link < 0 && !generic && Marshal.GetLastPInvokeError() == Libc.NotSupported)
        {
            generic = true;
            _link = Bpf.LinkXdp(_program, index, GenericMode);
        }
        IsGeneric = generic;
        if (_link >= 0)
        {
            return;
        }
        int error = Marshal.GetLastPInvokeError();
        throw Libc.Failed(error switch
        {
            Libc.Busy or Libc.Exists => $"'{_device}' has an XDP program already: {XdpAttached.Describe(_device, index)}",
            Libc.NotPermitted => $"no XDP program may be attached to '{_device}' (it takes root, or CAP_NET_ADMIN and CAP_BPF)",
            Libc.Invalid => $"'{_device}' takes no XDP program by a link (it takes Linux 5.9, and a device that no bond or bridge has an XDP program for)",
            Range => $"frames of '{_device}' or its peer may be too long for XDP: lower the MTU (ip link set {_device} mtu 1500, at both ends of a veth pair)",
            NoSpace => $"'{_device}' has fewer receive queues than its veth peer has send queues, or no queue left for XDP: ethtool -L {_device}",
            _ => $"no XDP program can be attached to '{_device}'",
        }, error);
    }

    private static int Checked(int result, string otherwise) => result < 0 ? throw Libc.Failed(otherwise) : result;

    public void Dispose()
    {
        // The link first: nothing must be led to a socket that is going. Closing it would leave the program there for as long as a
        // child of this process, between its fork and its exec, holds a copy of the descriptor.
        if (_link >= 0)
        {
            _ = Bpf.DetachLink(_link);
        }
        Close(ref _link);
        Close(ref _program);
        Close(ref _map);
    }

    private static void Close(ref int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor);
            descriptor = -1;
        }
    }
}

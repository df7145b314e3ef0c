using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>
/// Clients, backends and routers in random order, and each frame at a worker that chance chooses, as the worst of network cards would. What
/// happens is chosen by one random number, where it happens by another.
/// </summary>
internal sealed class Spreading(Crew crew, int seed)
{
    private const int Backends = 8;
    private static readonly IpAddr Router = IpAddr.Parse("203.0.113.9");
    private readonly Random _what = new(seed), _where = new(seed + 1);
    private readonly List<Conversation> _all = [];
    private ushort _id;

    private sealed record Conversation(byte Protocol, ushort Port, IpAddr Backend, int Home);

    /// <summary>All that left, in order.</summary>
    public List<byte[]> Left { get; } = [];

    public static BalancerConfig Config(Func<int, bool> takesNew)
    {
        ServiceConfig Of(byte protocol)
        {
            ServiceConfig service = Rig.Service(BalanceMode.Nat, Backends, protocol);
            return service with { Name = $"{protocol}", Backends = [.. service.Backends.Select((b, n) => b with { State = takesNew(n) ? BackendState.Active : BackendState.Draining })] };
        }
        return Rig.Config(Of(IpProtocol.Tcp), Of(IpProtocol.Udp));
    }

    public void Step()
    {
        int kind = _all.Count < 4 ? 0 : _what.Next(9);
        Conversation one = kind == 0 ? Open() : _all[_what.Next(_all.Count)];
        switch (kind)
        {
            case 1 or 2:
                ToBackend(one, _where.Next(3) == 0 ? Anyone() : one.Home);
                break;
            case 3 or 4:
                Answer(one);
                break;
            case 5:
                TooBig(one);
                break;
            case 6:
                Refusal(one);
                break;
            case 7:
                InFragments(one);
                break;
            case 8 when _what.Next(4) == 0:
                int mask = _what.Next(1, 1 << Backends);
                crew.Replace(Config(n => (mask >> n & 1) != 0));
                break;
        }
    }

    private int Anyone() => _where.Next(crew.Workers.Count);

    // The first packets of a connection come by one queue; only then may a device be told to spread otherwise.
    private Conversation Open()
    {
        byte protocol = _what.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Udp;
        ushort port = (ushort)(1000 + _all.Count);
        int home = Anyone();
        byte[]? opening = crew.ToBack(home, Frames.Frame(protocol == IpProtocol.Tcp ? Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Syn) : Frames.Udp(Rig.Client4, port, Rig.Vip4, 80)));
        Left.Add(Assert.IsType<byte[]>(opening));
        var one = new Conversation(protocol, port, Rig.Headers(opening).Destination, home);
        _all.Add(one);
        ToBackend(one, home);
        return one;
    }

    private void ToBackend(Conversation one, int worker)
    {
        byte[] ip = one.Protocol == IpProtocol.Tcp ? Frames.Tcp(Rig.Client4, one.Port, Rig.Vip4, 80, TcpFlags.Ack, [1]) : Frames.Udp(Rig.Client4, one.Port, Rig.Vip4, 80, [1]);
        PacketHeaders h = Came(crew.ToBack(worker, Frames.Frame(ip)));
        Assert.Equal((Rig.Client4, one.Port, one.Backend, 8080), (h.Source, h.SourcePort, h.Destination, h.DestinationPort));
    }

    private void Answer(Conversation one)
    {
        byte[] ip = one.Protocol == IpProtocol.Tcp ? Frames.Tcp(one.Backend, 8080, Rig.Client4, one.Port, TcpFlags.Ack, [2]) : Frames.Udp(one.Backend, 8080, Rig.Client4, one.Port, [2]);
        byte[]? answer = crew.ToFront(Anyone(), Frames.Frame(ip, Rig.MacOf(one.Backend), Rig.BackMac));
        PacketHeaders h = Came(answer);
        Assert.Equal((Rig.Vip4, 80, Rig.Client4, one.Port), (h.Source, h.SourcePort, h.Destination, h.DestinationPort));
        Assert.Equal(Frames.Client, MacAddress.Read(answer));
    }

    // A router on the clients' side: an answer of the service was too big.
    private void TooBig(Conversation one)
    {
        byte[] quoted = Quoted(Rig.Vip4, 80, Rig.Client4, one.Port, one.Protocol);
        PacketHeaders h = Came(crew.ToBack(Anyone(), Frames.Frame(Frames.Icmp(Router, Rig.Vip4, 3, 4, 1280, quoted))));
        Assert.Equal((Router, one.Backend), (h.Source, h.Destination));
    }

    // A backend refuses what a client sent.
    private void Refusal(Conversation one)
    {
        byte[] quoted = Quoted(Rig.Client4, one.Port, one.Backend, 8080, one.Protocol);
        PacketHeaders h = Came(crew.ToFront(Anyone(), Frames.Frame(Frames.Icmp(one.Backend, Rig.Client4, 3, 3, 0, quoted), Rig.MacOf(one.Backend), Rig.BackMac)));
        Assert.Equal((Rig.Vip4, Rig.Client4), (h.Source, h.Destination));
    }

    // Fragments are spread by addresses alone: not with the flow's other datagrams, but all of one to the same worker.
    private void InFragments(Conversation one)
    {
        _id++;
        int worker = Anyone();
        bool forward = _what.Next(2) == 0;
        (IpAddr from, IpAddr to) = forward ? (Rig.Client4, Rig.Vip4) : (one.Backend, Rig.Client4);
        byte[] segment = one.Protocol == IpProtocol.Tcp
            ? Frames.Tcp(from, forward ? one.Port : (ushort)8080, to, forward ? (ushort)80 : one.Port, TcpFlags.Ack, new byte[40])[20..]
            : Frames.UdpSegment(from, forward ? one.Port : (ushort)8080, to, forward ? (ushort)80 : one.Port, new byte[40]);
        foreach ((byte[] part, ushort place) in ((byte[], ushort)[])[(segment[..24], 0x2000), (segment[24..], 3)])
        {
            byte[] ip = Frames.V4(from, to, one.Protocol, part, id: _id, fragment: place);
            byte[]? came = forward ? crew.ToBack(worker, Frames.Frame(ip)) : crew.ToFront(worker, Frames.Frame(ip, Rig.MacOf(one.Backend), Rig.BackMac));
            PacketHeaders h = Came(came);
            Assert.Equal(forward ? (Rig.Client4, one.Backend) : (Rig.Vip4, Rig.Client4), (h.Source, h.Destination));
        }
    }

    private PacketHeaders Came(byte[]? frame)
    {
        Left.Add(Assert.IsType<byte[]>(frame));
        Frames.AssertChecksums(frame);
        return Rig.Headers(frame);
    }

    private static byte[] Quoted(IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, byte protocol) =>
        protocol == IpProtocol.Tcp ? Frames.Tcp(source, sourcePort, destination, destinationPort, TcpFlags.Ack)[..28] : Frames.Udp(source, sourcePort, destination, destinationPort, new byte[8]);
}

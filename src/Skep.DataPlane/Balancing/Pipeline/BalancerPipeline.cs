using System.Runtime.CompilerServices;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>
/// The balancer without ports, clock or threads: a burst goes in, its packets are changed in place, a verdict for each comes out.
/// Three passes, so that the memory a packet needs is on its way while the packets before it are looked at.
/// </summary>
internal sealed class BalancerPipeline : IDisposable
{
    public const int MaxBurst = 64;
    private readonly MacAddress[] _ports;
    private readonly int[] _mtus;
    private readonly TooBigMessages _tooBig = new();
    private readonly PacketHeaders[] _headers = new PacketHeaders[MaxBurst];
    private readonly Work[] _work = new Work[MaxBurst];
    private readonly FragmentTable _fragments = new();
    private readonly FlowSteering _steering;
    private readonly IcmpErrors _errors;
    private readonly WorkerTelemetry? _traffic;
    private PacketSampling _sampling;

    private struct Work
    {
        public ulong Hash;
        public Service? Service;
        public Service[]? Returns;
    }

    /// <summary>Makes a pipeline.</summary>
    /// <param name="ports">Addresses of the ports.</param>
    /// <param name="mtus">How long an IP packet can be that leaves by each, in bytes.</param>
    /// <param name="limits">How many flows it remembers.</param>
    /// <param name="telemetry">What it tells of clients; null for nothing.</param>
    public BalancerPipeline(IReadOnlyList<MacAddress> ports, IReadOnlyList<int> mtus, FlowLimits limits, PipelineTelemetry? telemetry = null)
    {
        (_ports, _mtus) = ([.. ports], [.. mtus]);
        Flows = new FlowTable(limits);
        _steering = new FlowSteering(Flows, Peers, telemetry?.Clients);
        _traffic = telemetry?.Traffic;
        _errors = new IcmpErrors(_steering, this);
    }

    public FlowTable Flows { get; }

    /// <summary>The flows of workers beside this one.</summary>
    public PeerFlows Peers { get; } = new();

    public BalancerCounters Counters { get; } = new();

    /// <summary>A round of all ports is over.</summary>
    /// <param name="wasFull">Whether a port had a full burst: while that goes on, not every packet is counted for telemetry.</param>
    public void EndRound(bool wasFull) => _sampling.EndRound(wasFull);

    /// <summary>Decides about a burst of at most <see cref="MaxBurst"/> packets of one port.</summary>
    public void Process(BalancerTable table, Span<Packet> burst, int port, long nowMs, Span<Verdict> verdicts)
    {
        for (int i = 0; i < burst.Length; i++)
        {
            Classify(table, burst[i].Bytes, port, ref _headers[i], ref _work[i], out verdicts[i]);
        }
        for (int i = 0; i < burst.Length; i++)
        {
            if (_work[i].Service is not null)
            {
                Flows.PrefetchEntry(_work[i].Hash);
            }
        }
        _sampling.BeginBurst();
        for (int i = 0; i < burst.Length; i++)
        {
            ref Work work = ref _work[i];
            if (work.Service is not null)
            {
                verdicts[i] = work.Returns is null
                    ? Forward(table, burst[i].Bytes, _headers[i], work, port, nowMs, _traffic is null ? 0 : _sampling.WeightOf(i))
                    : Return(table, burst[i].Bytes, _headers[i], work.Returns, nowMs);
                if (verdicts[i].Kind == VerdictKind.TooBig)
                {
                    verdicts[i] = TooBig(ref burst[i], _headers[i], port, _mtus[verdicts[i].Port], nowMs);
                }
            }
            else if (verdicts[i].Kind == VerdictKind.Kernel)
            {
                verdicts[i] = Rest(table, ref burst[i], _headers[i], port, nowMs);
            }
        }
    }

    // Each pass keeps its own frame of registers: put together by inlining, they spill on every packet.
    // Leaves the work's service null where the packet is no flow's; then the verdict says Kernel until somebody knows better.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Classify(BalancerTable table, Span<byte> frame, int port, ref PacketHeaders h, ref Work work, out Verdict verdict)
    {
        work.Service = null;
        if (PacketParser.Parse(frame, out h) != PacketFault.None)
        {
            verdict = Drop(DropReason.Malformed);
            return;
        }
        MacAddress to = MacAddress.Read(frame);
        bool toUs = to == _ports[port];
        if (!toUs && !to.IsMulticast)
        {
            verdict = Drop(DropReason.OtherStation);
            return;
        }
        if (h.Network == NetworkKind.IPv4 && !IsHeaderRight(frame[h.NetworkOffset..]))
        {
            verdict = Drop(DropReason.BadChecksum);
            return;
        }
        if (table.Denied is { } denied && h.Network is NetworkKind.IPv4 or NetworkKind.IPv6 && denied.Contains(h.Source))
        {
            verdict = Drop(DropReason.Denied);
            return;
        }
        verdict = Verdict.ToKernel;
        if (!toUs || h.Fragment == FragmentKind.Later || h.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
        {
            return;
        }
        work.Service = table.Services.Find(new Endpoint(h.Destination, h.DestinationPort, h.Protocol));
        if (work.Service is not null)
        {
            work.Returns = null;
            work.Hash = ForwardKey(h).Hash(table.HashSeed);
        }
        else if (table.Returns.Find(new Endpoint(h.Source, h.SourcePort, h.Protocol)) is { } candidates)
        {
            work.Returns = candidates;
            work.Service = candidates[0];
            work.Hash = new FlowKey(h.Destination, work.Service.Address, h.DestinationPort, work.Service.Port, h.Protocol).Hash(table.HashSeed);
        }
        else
        {
            return;
        }
        Flows.PrefetchTags(work.Hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FlowKey ForwardKey(in PacketHeaders h) => new(h.Source, h.Destination, h.SourcePort, h.DestinationPort, h.Protocol);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHeaderRight(ReadOnlySpan<byte> ip) => ip[0] == 0x45 ? Checksum.IsRight(ip) : Checksum.Of(ip[..((ip[0] & 0x0F) * 4)]) == 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Verdict Forward(BalancerTable table, Span<byte> frame, in PacketHeaders h, in Work work, int port, long nowMs, int weight)
    {
        Service service = work.Service!;
        if (service.IsNat && h.Ttl <= 1)
        {
            return Drop(DropReason.TtlExpired);
        }
        MacAddress client = MacAddress.Read(frame[MacAddress.SizeBytes..]);
        Backend? backend = _steering.Steer(table, service, ForwardKey(h), work.Hash, h.Flags, port, client, (uint)nowMs, out int peer);
        if (backend is null)
        {
            return peer == PeerFlows.Nobody ? Drop(DropReason.NoBackend) : HandOver(peer, h, nowMs);
        }
        Neighbor hop = backend.NextHop;
        if (!hop.IsKnown)
        {
            return Drop(DropReason.NextHopUnknown);
        }
        if (h.End - h.NetworkOffset > _mtus[hop.Port])
        {
            return Verdict.TooBig(hop.Port);
        }
        if (h.Fragment == FragmentKind.First)
        {
            _fragments.Remember(h, service.IsNat ? FragmentFate.ToBackend : FragmentFate.LinkOnly, backend.Address, hop.Mac, hop.Port, nowMs);
        }
        if (service.IsNat)
        {
            Rewriter.Translate(frame, h, destination: true, backend.Address, backend.Port);
        }
        Rewriter.SetLink(frame, hop.Mac, _ports[hop.Port]);
        Counters.Forwarded++;
        Counters.BackendPackets[backend.Slot]++;
        Counters.BackendBytes[backend.Slot] += frame.Length;
        if (weight > 0)
        {
            _traffic!.Current.Add(h.Source, frame.Length, weight);
        }
        return Verdict.Send(hop.Port);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Verdict Return(BalancerTable table, Span<byte> frame, in PacketHeaders h, Service[] candidates, long nowMs)
    {
        if (h.Ttl <= 1)
        {
            return Drop(DropReason.TtlExpired);
        }
        ref FlowEntry entry = ref _steering.FindReturn(table, candidates, h.Destination, h.DestinationPort, h.Source, h.SourcePort, (uint)nowMs, out Service service);
        if (Unsafe.IsNullRef(ref entry))
        {
            if (_steering.FindPeer(table, candidates, h.Destination, h.DestinationPort) is var peer and not PeerFlows.Nobody)
            {
                return HandOver(peer, h, nowMs);
            }
            if (table.OwnAddresses.Contains(h.Destination))
            {
                // The backend answers this machine itself: its health check.
                Counters.ToKernel++;
                return Verdict.ToKernel;
            }
        }
        if (!TryFindClient(table, ref entry, h.Destination, out MacAddress mac, out int port))
        {
            return Drop(DropReason.NoRoute);
        }
        if (h.End - h.NetworkOffset > _mtus[port])
        {
            return Verdict.TooBig(port);
        }
        if (!Unsafe.IsNullRef(ref entry))
        {
            _steering.SeeServer(ref entry, h.Flags, (uint)nowMs);
        }
        if (h.Fragment == FragmentKind.First)
        {
            _fragments.Remember(h, FragmentFate.ToClient, service.Address, mac, port, nowMs);
        }
        Rewriter.Translate(frame, h, destination: false, service.Address, service.Port);
        Rewriter.SetLink(frame, mac, _ports[port]);
        Counters.Returned++;
        return Verdict.Send(port);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Verdict Rest(BalancerTable table, ref Packet packet, in PacketHeaders h, int port, long nowMs)
    {
        Span<byte> frame = packet.Bytes;
        Verdict verdict = Verdict.ToKernel;
        if (h.Network == NetworkKind.Arp)
        {
            verdict = Counted(LinkAnswers.Arp(table, frame, h, port, _ports[port], nowMs));
        }
        else if (h.Fragment == FragmentKind.Later)
        {
            verdict = LaterFragment(table, frame, h, nowMs);
        }
        else if (h.Network != NetworkKind.Other && h.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 && h.PayloadOffset > h.TransportOffset)
        {
            verdict = IcmpErrors.IsError(h)
                ? _errors.Process(table, frame, h, nowMs)
                : Query(table, ref packet, h, port, nowMs);
        }
        Counters.ToKernel += verdict.Kind == VerdictKind.Kernel ? 1 : 0;
        return verdict;
    }

    private Verdict Query(BalancerTable table, ref Packet packet, in PacketHeaders h, int port, long nowMs)
    {
        bool v6 = h.Network == NetworkKind.IPv6;
        if (v6 && h.MessageType is LinkAnswers.Solicitation or LinkAnswers.Advertisement)
        {
            return Counted(LinkAnswers.Discovery(table, ref packet, h, port, _ports[port], nowMs));
        }
        bool echo = h.MessageType == (v6 ? 128 : 8) && h.MessageCode == 0 && h.Fragment == FragmentKind.Whole;
        // An address that the kernel has too is the kernel's to answer for.
        return echo && table.ServiceAddresses.Contains(h.Destination) && !table.Routes.IsOurs(port, h.Destination)
            ? Counted(LinkAnswers.Echo(packet.Bytes, h, port, _ports[port]))
            : Verdict.ToKernel;
    }

    private Verdict LaterFragment(BalancerTable table, Span<byte> frame, in PacketHeaders h, long nowMs)
    {
        bool found = _fragments.TryFind(h, nowMs, out FragmentEntry entry);
        if (found && entry.Fate == FragmentFate.HandedOver && !Peers.IsFinal)
        {
            return Verdict.HandOver(entry.Port);
        }
        if (!found || entry.Fate == FragmentFate.HandedOver)
        {
            return table.ServiceAddresses.Contains(h.Destination) && h.Protocol is IpProtocol.Tcp or IpProtocol.Udp
                ? Drop(DropReason.FragmentUnknown)
                : Verdict.ToKernel;
        }
        if (h.End - h.NetworkOffset > _mtus[entry.Port])
        {
            return Drop(DropReason.TooBig);
        }
        if (entry.Fate != FragmentFate.LinkOnly)
        {
            if (h.Ttl <= 1)
            {
                return Drop(DropReason.TtlExpired);
            }
            Rewriter.TranslateAddress(frame, h, destination: entry.Fate == FragmentFate.ToBackend, entry.Address, hop: true);
        }
        Rewriter.SetLink(frame, entry.Mac, _ports[entry.Port]);
        Counters.Forwarded += entry.Fate == FragmentFate.ToClient ? 0 : 1;
        Counters.Returned += entry.Fate == FragmentFate.ToClient ? 1 : 0;
        return Verdict.Send(entry.Port);
    }

    // A datagram's other fragments have no ports to find the flow by: they follow the first.
    private Verdict HandOver(int peer, in PacketHeaders h, long nowMs)
    {
        if (h.Fragment == FragmentKind.First)
        {
            _fragments.Remember(h, FragmentFate.HandedOver, default, default, peer, nowMs);
        }
        return Verdict.HandOver(peer);
    }

    /// <summary>Where answers to a client go: back where its packets came from, else to the gateway.</summary>
    internal static bool TryFindClient(BalancerTable table, ref FlowEntry entry, IpAddr client, out MacAddress mac, out int port)
    {
        if (!Unsafe.IsNullRef(ref entry))
        {
            (mac, port) = (new MacAddress(entry.ClientMac), entry.ClientPortIndex);
            return true;
        }
        if (table.Routes.Find(client) is { } way && table.Neighbors.TryGetValue((way.NextHop, way.Port), out Neighbor? neighbor) && neighbor.IsKnown)
        {
            (mac, port) = (neighbor.Mac, way.Port);
            return true;
        }
        (mac, port) = (default, 0);
        return false;
    }

    private Verdict TooBig(ref Packet packet, in PacketHeaders h, int port, int mtuBytes, long nowMs)
    {
        Verdict dropped = Drop(DropReason.TooBig);
        if (!_tooBig.TryMake(ref packet, h, _ports[port], mtuBytes, nowMs))
        {
            return dropped;
        }
        Counters.IcmpErrors++;
        return Verdict.Send(port);
    }

    internal MacAddress MacOf(int port) => _ports[port];

    internal Verdict Drop(DropReason reason)
    {
        Counters.Drops[(int)reason]++;
        return Verdict.Dropped;
    }

    private Verdict Counted(Verdict verdict)
    {
        Counters.Answered += verdict.Kind == VerdictKind.Send ? 1 : 0;
        return verdict;
    }

    public void Dispose() => Flows.Dispose();
}

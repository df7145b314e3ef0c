using System.Runtime.CompilerServices;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>
/// ICMP errors, path-MTU messages among them, quote the packet that they are about. They go to the backend or client that sent it,
/// and in mode nat both the message and its quote are translated, as RFC 5508 asks of a translator.
/// </summary>
internal sealed class IcmpErrors(FlowSteering steering, BalancerPipeline pipeline)
{
    /// <summary>Whether a message quotes a packet: unreachable, too big, time exceeded, parameter problem.</summary>
    public static bool IsError(in PacketHeaders h) => h.Network == NetworkKind.IPv4 ? h.MessageType is 3 or 11 or 12 : h.MessageType is >= 1 and <= 4;

    public Verdict Process(BalancerTable table, Span<byte> frame, in PacketHeaders h, long nowMs)
    {
        bool v6 = h.Network == NetworkKind.IPv6;
        if (h.Fragment != FragmentKind.Whole
            || PacketParser.ParseQuoted(frame[..h.End], h.PayloadOffset, v6, out PacketHeaders quote) != PacketFault.None
            || quote.Fragment == FragmentKind.Later || quote.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
        {
            return Verdict.ToKernel;
        }
        if (h.Destination == quote.Source && table.Services.Find(new Endpoint(quote.Source, quote.SourcePort, quote.Protocol)) is { } service)
        {
            return ToBackend(table, frame, h, quote, service, nowMs);
        }
        if (h.Destination == quote.Source && table.Returns.Find(new Endpoint(quote.Destination, quote.DestinationPort, quote.Protocol)) is { } candidates)
        {
            return ToClient(table, frame, h, quote, candidates, nowMs);
        }
        return Verdict.ToKernel;
    }

    // About an answer of ours that did not reach the client.
    private Verdict ToBackend(BalancerTable table, Span<byte> frame, in PacketHeaders h, in PacketHeaders quote, Service service, long nowMs)
    {
        var key = new FlowKey(quote.Destination, quote.Source, quote.DestinationPort, quote.SourcePort, quote.Protocol);
        Backend? backend = steering.Peek(table, service, key, key.Hash(table.HashSeed), (uint)nowMs, out int peer);
        if (peer != PeerFlows.Nobody)
        {
            return Verdict.HandOver(peer);
        }
        if (backend is null || !backend.NextHop.IsKnown)
        {
            return pipeline.Drop(backend is null ? DropReason.NoBackend : DropReason.NextHopUnknown);
        }
        if (service.IsNat)
        {
            if (Refuse(frame, h) is { } reason)
            {
                return pipeline.Drop(reason);
            }
            Rewriter.Translate(frame, quote, destination: false, backend.Address, backend.Port, hop: false);
            Rewriter.TranslateAddress(frame, h, destination: true, backend.Address, hop: true);
            Rewriter.SealIcmp(frame, h, h.Source, backend.Address);
        }
        return Send(frame, backend.NextHop.Mac, backend.NextHop.Port);
    }

    // About a client's packet that did not reach the backend, or that the backend refused.
    private Verdict ToClient(BalancerTable table, Span<byte> frame, in PacketHeaders h, in PacketHeaders quote, Service[] candidates, long nowMs)
    {
        ref FlowEntry entry = ref steering.FindReturn(table, candidates, quote.Source, quote.SourcePort, quote.Destination, quote.DestinationPort,
            (uint)nowMs, out Service service);
        if (Unsafe.IsNullRef(ref entry))
        {
            if (steering.FindPeer(table, candidates, quote.Source, quote.SourcePort) is var peer and not PeerFlows.Nobody)
            {
                return Verdict.HandOver(peer);
            }
            if (table.OwnAddresses.Contains(quote.Source))
            {
                // About what this machine itself had asked the backend: its health check.
                return Verdict.ToKernel;
            }
        }
        if (!BalancerPipeline.TryFindClient(table, ref entry, quote.Source, out MacAddress mac, out int port))
        {
            return pipeline.Drop(DropReason.NoRoute);
        }
        if (Refuse(frame, h) is { } reason)
        {
            return pipeline.Drop(reason);
        }
        // A router on the way speaks for itself; the backend's own word must seem the service's.
        IpAddr source = h.Source == quote.Destination ? service.Address : h.Source;
        Rewriter.Translate(frame, quote, destination: true, service.Address, service.Port, hop: false);
        Rewriter.TranslateAddress(frame, h, destination: false, source, hop: true);
        Rewriter.SealIcmp(frame, h, source, h.Destination);
        return Send(frame, mac, port);
    }

    // The checksum is made anew, so that a damaged message must not get that far.
    private static DropReason? Refuse(ReadOnlySpan<byte> frame, in PacketHeaders h) =>
        h.Ttl <= 1 ? DropReason.TtlExpired : Rewriter.IsIcmpIntact(frame, h) ? null : DropReason.BadChecksum;

    private Verdict Send(Span<byte> frame, MacAddress to, int port)
    {
        Rewriter.SetLink(frame, to, pipeline.MacOf(port));
        pipeline.Counters.IcmpErrors++;
        return Verdict.Send(port);
    }
}

using System.Runtime.CompilerServices;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>Which backend a flow belongs to, and what its packets say about its state.</summary>
internal sealed class FlowSteering(FlowTable flows, PeerFlows peers, ClientRegister? clients)
{
    private const int OtherChoices = 16;

    /// <summary>A client's packet: the flow's backend, or one chosen now and remembered if there is room.</summary>
    /// <param name="peer">The worker whose flow it is, where it is another's.</param>
    /// <returns>Null where no backend takes the flow, or another worker has it.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Backend? Steer(BalancerTable table, Service service, in FlowKey key, ulong hash, TcpFlags flags, int port, MacAddress client, uint nowMs, out int peer)
    {
        peer = PeerFlows.Nobody;
        ref FlowEntry entry = ref flows.Find(key, hash, nowMs);
        bool opens = (flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) == TcpFlags.Syn;
        Backend? backend;
        if (Unsafe.IsNullRef(ref entry))
        {
            // Who opens a connection is nobody's yet. A datagram that came in fragments may have gone another way than the flow's others.
            peer = opens ? PeerFlows.Nobody : peers.Find(key, hash);
            backend = peer == PeerFlows.Nobody ? Choose(table, service, hash) : null;
            if (backend is null || (flags & TcpFlags.Rst) != 0)
            {
                return backend;
            }
            entry = ref flows.Insert(key, hash, backend, nowMs);
            if (Unsafe.IsNullRef(ref entry))
            {
                return backend;
            }
            if (service.Protocol == IpProtocol.Udp)
            {
                SeeFlow(service, key);
            }
        }
        else
        {
            backend = table.BackendAt(entry.Slot, entry.Generation);
            bool reused = opens && entry.State == FlowState.Closing;
            if (backend is null || backend.IsDown || reused)
            {
                backend = Choose(table, service, hash);
                if (backend is null)
                {
                    return null;
                }
                flows.Move(ref entry, backend);
                entry.Fins = FinSeen.None;
                flows.SetState(ref entry, FlowState.Embryonic);
            }
            else
            {
                SeeClient(ref entry, service, flags);
            }
            entry.LastSeenMs = nowMs;
        }
        entry.ClientMac = client.Value;
        entry.ClientPortIndex = (byte)port;
        return backend;
    }

    /// <summary>What is known of a flow without changing it: for ICMP errors.</summary>
    public Backend? Peek(BalancerTable table, Service service, in FlowKey key, ulong hash, uint nowMs, out int peer)
    {
        peer = PeerFlows.Nobody;
        ref FlowEntry entry = ref flows.Find(key, hash, nowMs);
        if (!Unsafe.IsNullRef(ref entry))
        {
            return table.BackendAt(entry.Slot, entry.Generation);
        }
        peer = peers.Find(key, hash);
        return peer == PeerFlows.Nobody ? Choose(table, service, hash) : null;
    }

    /// <summary>The worker that seems to know the flow of an answer for which <see cref="FindReturn"/> has found none here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public int FindPeer(BalancerTable table, Service[] candidates, IpAddr client, ushort clientPort)
    {
        int peer = PeerFlows.Nobody;
        for (int i = 0; i < candidates.Length && peer == PeerFlows.Nobody; i++)
        {
            var key = new FlowKey(client, candidates[i].Address, clientPort, candidates[i].Port, candidates[i].Protocol);
            peer = peers.Find(key, key.Hash(table.HashSeed));
        }
        return peer;
    }

    /// <summary>An answer: which of the services it may come from is the client's, and the flow if it is remembered.</summary>
    public ref FlowEntry FindReturn(BalancerTable table, Service[] candidates, IpAddr client, ushort clientPort, IpAddr backend, ushort backendPort,
        uint nowMs, out Service service)
    {
        for (int i = 0; i < candidates.Length; i++)
        {
            service = candidates[i];
            var key = new FlowKey(client, service.Address, clientPort, service.Port, service.Protocol);
            ref FlowEntry entry = ref flows.Find(key, key.Hash(table.HashSeed), nowMs);
            if (!Unsafe.IsNullRef(ref entry) && table.BackendAt(entry.Slot, entry.Generation) is { } b && b.Address == backend && b.Port == backendPort)
            {
                return ref entry;
            }
        }
        service = candidates.Length == 1 ? candidates[0] : LikelyService(table, candidates, client, clientPort, backend, backendPort);
        return ref Unsafe.NullRef<FlowEntry>();
    }

    // Of services that share a backend's port, the first whose hash leads this client there: with several backends hardly another's does.
    private static Service LikelyService(BalancerTable table, Service[] candidates, IpAddr client, ushort clientPort, IpAddr backend, ushort backendPort)
    {
        foreach (Service candidate in candidates)
        {
            var key = new FlowKey(client, candidate.Address, clientPort, candidate.Port, candidate.Protocol);
            if (Choose(table, candidate, key.Hash(table.HashSeed)) is { } chosen && chosen.Address == backend && chosen.Port == backendPort)
            {
                return candidate;
            }
        }
        return candidates[0];
    }

    /// <summary>What a server's packet says about the flow.</summary>
    public void SeeServer(ref FlowEntry entry, TcpFlags flags, uint nowMs)
    {
        if (entry.State == FlowState.Embryonic)
        {
            // The client has still said nothing that a forger could not say: answers do not keep the entry.
            return;
        }
        entry.LastSeenMs = nowMs;
        if ((flags & TcpFlags.Fin) != 0)
        {
            entry.Fins |= FinSeen.Server;
        }
        if ((flags & TcpFlags.Rst) != 0 || entry.Fins == (FinSeen.Client | FinSeen.Server))
        {
            flows.SetState(ref entry, FlowState.Closing);
        }
    }

    private void SeeClient(ref FlowEntry entry, Service service, TcpFlags flags)
    {
        if ((flags & TcpFlags.Fin) != 0)
        {
            entry.Fins |= FinSeen.Client;
        }
        // With direct return the server's goodbye is never seen; the client's has to do.
        bool bothDone = entry.Fins == (FinSeen.Client | FinSeen.Server) || (entry.Fins != 0 && !service.IsNat);
        if ((flags & TcpFlags.Rst) != 0 || bothDone)
        {
            flows.SetState(ref entry, FlowState.Closing);
        }
        else if (entry.State == FlowState.Embryonic && (flags & TcpFlags.Syn) == 0)
        {
            flows.SetState(ref entry, FlowState.Established);
            if (service.Protocol == IpProtocol.Tcp)
            {
                SeeFlow(service, entry.Key);
            }
        }
    }

    // A client of TCP has shown by now that its address is its own; of UDP many send one packet only.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void SeeFlow(Service service, in FlowKey key)
    {
        if (clients is not null && service.Clients is { } sketch)
        {
            clients.SeeFlow(sketch, key.Client);
        }
    }

    // A backend that came with the newest configuration may not have said its Ethernet address yet: for that moment its flows go to
    // others, so that no packet is lost to the change.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Backend? Choose(BalancerTable table, Service service, ulong hash)
    {
        if (service.Table.IsEmpty)
        {
            return null;
        }
        Backend first = table.Backends[service.Table.Choose(hash)]!;
        Backend backend = first;
        for (int attempt = 0; !backend.NextHop.IsKnown && attempt < OtherChoices; attempt++)
        {
            hash = Mix.Finish(hash + 1);
            backend = table.Backends[service.Table.Choose(hash)]!;
        }
        return backend.NextHop.IsKnown ? backend : first;
    }
}

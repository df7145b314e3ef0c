using System.Collections.Frozen;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>Checks a configuration and makes a table of it.</summary>
internal sealed class TableBuilder(BalancerConfig config, BalancerTable? previous, TableTelemetry? telemetry)
{
    private readonly Dictionary<(IpAddr, int), Neighbor> _neighbors = [];
    private readonly Routes _routes = new(config.Interfaces);
    private readonly uint _generation = (previous?.Generation ?? 0) + 1;

    public BalancerTable Build()
    {
        Check();
        Backend?[] backends = PlaceBackends();
        var byKey = backends.OfType<Backend>().ToDictionary(b => b.Key);
        var services = new Dictionary<Endpoint, Service>();
        var returns = new Dictionary<Endpoint, List<Service>>();
        foreach (ServiceConfig s in config.Services)
        {
            var mine = s.Backends.Select(b => byKey[Key(s, b)]).ToList();
            var members = mine.Where(b => b.TakesNew).Select(b => (b.Slot, Identity(b.Key), b.Config.Weight)).ToList();
            var service = new Service(s, TableOf(s, members), telemetry?.Clients.Of(new ServiceKey(s.Address, s.Port, s.Protocol)));
            services.Add(new Endpoint(s.Address, s.Port, s.Protocol), service);
            foreach (Backend b in mine.Where(_ => service.IsNat))
            {
                var from = new Endpoint(b.Address, b.Port, s.Protocol);
                if (!returns.TryGetValue(from, out List<Service>? list))
                {
                    returns.Add(from, list = []);
                }
                list.Add(service);
            }
        }
        AddGateways();
        Neighbor[] wanted = [.. _neighbors.Values];
        RememberOthers();
        return new BalancerTable(config, new EndpointMap<Service>(services),
            new EndpointMap<Service[]>(returns.ToDictionary(r => r.Key, r => r.Value.ToArray())),
            backends, _neighbors.ToFrozenDictionary(), wanted, _routes, _generation, previous);
    }

    // Filling one takes milliseconds; a change of one service leaves the others' as they are.
    private MaglevTable TableOf(ServiceConfig s, List<(ushort Slot, ulong Identity, int Weight)> members) =>
        previous is not null && previous.Config.TableSize == config.TableSize && previous.Config.HashSeed == config.HashSeed
            && previous.Services.Find(new Endpoint(s.Address, s.Port, s.Protocol)) is { } was && was.Table.Members.SequenceEqual(members)
            ? was.Table
            : new MaglevTable(members, config.TableSize);

    private void Check()
    {
        if (!IsPrime(config.TableSize) || config.TableSize < 3)
        {
            throw new BalancerConfigException($"a table of {config.TableSize} entries: expected a prime of 3 or more, such as 65537");
        }
        Require(config.Denied.Count <= DenyList.MaxAddresses, $"{config.Denied.Count} denied addresses: {DenyList.MaxAddresses} at most");
        foreach (InterfaceConfig i in config.Interfaces)
        {
            foreach (IpAddr? gateway in (IpAddr?[])[i.GatewayV4, i.GatewayV6])
            {
                Require(gateway is not { } address || i.Addresses.Any(a => a.Contains(address)),
                    $"gateway {gateway} is not on a link of its interface: add an address of ours on its link");
            }
        }
        foreach (ServiceConfig s in config.Services)
        {
            string where = $"service '{s.Name}' at {s.Address} port {s.Port}";
            Require(s.Protocol is IpProtocol.Tcp or IpProtocol.Udp, $"{where} has protocol {s.Protocol}: expected 6 (TCP) or 17 (UDP)");
            Require(s.Address.IsUnicast && s.Port != 0, $"{where} needs the address of one host and a port other than 0");
            foreach (BackendConfig b in s.Backends)
            {
                string which = $"backend {b.Address} port {b.Port} of {where}";
                Require(b.Address.IsV4 == s.Address.IsV4, $"{which} is of the other IP version: give it an address of the service's");
                Require(b.Address.IsUnicast && b.Port != 0, $"{which} needs the address of one host and a port other than 0");
                Require(b.Weight is >= 0 and <= 65_535, $"{which} has weight {b.Weight}: expected 0 to 65535");
                Require(s.Mode == BalanceMode.Nat || b.Port == s.Port, $"{which} has another port than its service, which mode dsr cannot translate: use mode nat");
                (int, IpAddr NextHop)? way = _routes.Find(b.Address);
                Require(way is not null, $"{which} is on no link of ours and there is no gateway: add an interface address on its link, or a gateway");
                Require(s.Mode == BalanceMode.Nat || way!.Value.NextHop == b.Address, $"{which} is behind a gateway, which mode dsr cannot pass: use mode nat");
            }
            Require(s.Backends.Select(b => (b.Address, b.Port)).Distinct().Count() == s.Backends.Count, $"{where} lists a backend twice");
        }
        Require(config.Services.Select(s => (s.Address, s.Port, s.Protocol)).Distinct().Count() == config.Services.Count,
            "two services have the same address, port and protocol");
        int count = config.Services.Sum(s => s.Backends.Count);
        Require(count <= BalancerTable.MaxBackends, $"{count} backends: {BalancerTable.MaxBackends} at most");
    }

    /// <summary>Backends that were there keep their slots, so that flows find them; new ones take the lowest that are free.</summary>
    private Backend?[] PlaceBackends()
    {
        var wanted = config.Services.SelectMany(s => s.Backends, (s, b) => (Service: s, Backend: b, Key: Key(s, b))).ToList();
        var old = previous?.Backends.OfType<Backend>().ToDictionary(b => b.Key) ?? [];
        var taken = wanted.Where(w => old.ContainsKey(w.Key)).Select(w => (int)old[w.Key].Slot).ToHashSet();
        var placed = new List<Backend>();
        int free = 0;
        foreach (var (service, backend, key) in wanted)
        {
            (int port, IpAddr nextHop) = _routes.Find(backend.Address)!.Value;
            Neighbor neighbor = NeighborAt(nextHop, port);
            if (old.TryGetValue(key, out Backend? was))
            {
                placed.Add(new Backend(was.Slot, was.Generation, service, backend, neighbor) { PacketsBefore = was.PacketsBefore, BytesBefore = was.BytesBefore });
                continue;
            }
            while (taken.Contains(free))
            {
                free++;
            }
            (long packets, long bytes) = telemetry?.Counted((ushort)free) ?? default;
            placed.Add(new Backend((ushort)free, _generation, service, backend, neighbor) { PacketsBefore = packets, BytesBefore = bytes });
            taken.Add(free);
        }
        var slots = new Backend?[placed.Count == 0 ? 0 : placed.Max(b => b.Slot) + 1];
        placed.ForEach(b => slots[b.Slot] = b);
        return slots;
    }

    private void AddGateways()
    {
        for (int port = 0; port < config.Interfaces.Count; port++)
        {
            foreach (IpAddr? gateway in (IpAddr?[])[config.Interfaces[port].GatewayV4, config.Interfaces[port].GatewayV6])
            {
                if (gateway is { } address)
                {
                    NeighborAt(address, port);
                }
            }
        }
    }

    // Who left may come back with the next configuration, and must not have to say its address anew.
    private void RememberOthers()
    {
        foreach (KeyValuePair<(IpAddr, int), Neighbor> old in previous?.Neighbors ?? FrozenDictionary<(IpAddr, int), Neighbor>.Empty)
        {
            if (_neighbors.Count >= BalancerTable.MaxNeighbors)
            {
                return;
            }
            if (old.Value.Port < config.Interfaces.Count)
            {
                _neighbors.TryAdd(old.Key, old.Value);
            }
        }
    }

    private Neighbor NeighborAt(IpAddr address, int port)
    {
        if (!_neighbors.TryGetValue((address, port), out Neighbor? neighbor))
        {
            neighbor = previous?.Neighbors.GetValueOrDefault((address, port)) ?? new Neighbor(address, port);
            _neighbors.Add((address, port), neighbor);
        }
        return neighbor;
    }

    // Every machine must fill the table alike, so the identity comes from what all of them know. A service's own address is left
    // out: services with the same backends then send a client to the same one.
    private ulong Identity(BackendKey key) =>
        Mix.Finish(Mix.Fold(key.Address.High ^ config.HashSeed ^ 0x510E527FADE682D1, key.Address.Low ^ ((ulong)key.Port << 48) ^ 0x9B05688C2B3E6C1F));

    private static BackendKey Key(ServiceConfig s, BackendConfig b) => new(s.Address, s.Port, s.Protocol, b.Address, b.Port);

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new BalancerConfigException(otherwise);
        }
    }

    private static bool IsPrime(int n)
    {
        for (int d = 2; (long)d * d <= n; d++)
        {
            if (n % d == 0)
            {
                return false;
            }
        }
        return n > 1;
    }
}

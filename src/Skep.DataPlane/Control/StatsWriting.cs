using Google.Protobuf.WellKnownTypes;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Engine;
using Skep.Sketches;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>What the engine has counted, as the contracts say it.</summary>
public static class StatsWriting
{
    /// <summary>All of it, as it is now.</summary>
    public static DataPlaneStats Of(DataPlaneEngine engine)
    {
        BalancerTable table = engine.Keeper.Tables.Current;
        var stats = new DataPlaneStats
        {
            Version = engine.Keeper.Wanted.Version,
            StartedAt = Timestamp.FromDateTimeOffset(engine.StartedAt),
            FirstSeen = FirstSeenOf(engine),
            Workers = { engine.Workers.Select(WorkerOf) },
        };
        stats.Ports.AddRange(engine.Ports.Select(PortOf));
        var backends = table.Backends.OfType<Backend>().ToDictionary(static b => b.Key);
        stats.Services.AddRange(table.Config.Services.Select(s => ServiceOf(engine, backends, s)));
        stats.Drops.AddRange(System.Enum.GetValues<DropReason>()
            .Select(r => new DropCount { Reason = WordOf(r), Packets = (ulong)engine.Workers.Sum(w => w.Worker.Counters.Dropped(r)) }).Where(static d => d.Packets > 0));
        return stats;
    }

    /// <summary>A reason as it is told: <c>next-hop-unknown</c>.</summary>
    internal static string WordOf(DropReason reason) =>
        string.Concat(reason.ToString().Select(static (c, i) => char.IsUpper(c) && i > 0 ? "-" + char.ToLowerInvariant(c) : $"{char.ToLowerInvariant(c)}"));

    private static DataPlanePort PortOf(OpenPort p) => new()
    {
        Name = p.Name,
        Driver = p.Driver,
        Mac = p.Mac.ToString(),
        Addresses = { p.Spec.Interface.Addresses.Select(static a => $"{a.Address}/{a.PrefixBits}") },
        Received = p.Sum(static c => c.Received),
        Sent = p.Sum(static c => c.Sent),
        TooLong = p.Sum(static c => c.TooLong),
        ChecksumsCompleted = p.Sum(static c => c.ChecksumsCompleted),
        Segmented = p.Sum(static c => c.Segmented),
        OffloadRefused = p.Sum(static c => c.OffloadRefused),
        Note = p.Note,
        Missed = p.Missed(),
    };

    private static DataPlaneWorker WorkerOf(WorkerThread thread, int number)
    {
        BalancerCounters c = thread.Worker.Counters;
        FlowTable flows = thread.Worker.FlowTable;
        return new DataPlaneWorker
        {
            Number = (uint)number,
            Forwarded = (ulong)c.Forwarded,
            Returned = (ulong)c.Returned,
            IcmpErrors = (ulong)c.IcmpErrors,
            Answered = (ulong)c.Answered,
            ToKernel = (ulong)c.ToKernel,
            Flows = (ulong)flows.Count,
            FlowsRefused = (ulong)(flows.RefusedFull + flows.RefusedEmbryonic),
            HandedOver = (ulong)c.HandedOver,
            TakenOver = (ulong)c.TakenOver,
            Stopped = thread.Ended.Exception?.GetBaseException().Message ?? "",
        };
    }

    private static ServiceStats ServiceOf(DataPlaneEngine engine, Dictionary<BackendKey, Backend> backends, ServiceConfig s)
    {
        long clients = engine.Clients.Of(new(s.Address, s.Port, s.Protocol)).Count();
        var stats = new ServiceStats
        {
            Name = s.Name,
            Address = s.Address.ToString(),
            Port = s.Port,
            Protocol = TableWriting.ProtocolOf(s),
            Mode = TableWriting.ModeOf(s),
            Clients = (ulong)clients,
            ClientsError = (ulong)Math.Round(clients * HyperLogLog.RelativeError),
        };
        stats.Backends.AddRange(s.Backends.Select(b => BackendOf(engine, backends[WantedTable.KeyOf(s, b)])));
        return stats;
    }

    private static BackendStats BackendOf(DataPlaneEngine engine, Backend backend)
    {
        BackendKey key = backend.Key;
        (long packets, long bytes) = engine.CountedBy(backend.Slot);
        var health = engine.Keeper.HealthOf(key);
        return new BackendStats
        {
            Address = key.Address.ToString(),
            Port = key.Port,
            Weight = (uint)backend.Config.Weight,
            State = backend.Config.State switch
            {
                BackendState.Down => BackendStats.Types.State.Down,
                BackendState.Draining => BackendStats.Types.State.Draining,
                _ when backend.Config.Weight == 0 => BackendStats.Types.State.Draining,
                _ => health is { IsUnknown: true } ? BackendStats.Types.State.Checking : BackendStats.Types.State.Up,
            },
            Why = health is { Why.Length: > 0 } ? health.Value.Why
                : backend.NextHop.IsKnown ? ""
                : $"{backend.NextHop.Address} does not answer on {engine.Ports[backend.NextHop.Port].Name}: nobody there has told its Ethernet address",
            Packets = (ulong)(packets - backend.PacketsBefore),
            Bytes = (ulong)(bytes - backend.BytesBefore),
            Flows = (ulong)engine.Workers.Sum(w => w.Worker.FlowTable.CountOf(backend.Slot)),
        };
    }

    private static FirstSeenClients FirstSeenOf(DataPlaneEngine engine)
    {
        var (last, count, since) = engine.Clients.Read();
        var seen = new FirstSeenClients { Count = (ulong)count, Since = Timestamp.FromDateTimeOffset(since) };
        seen.Last.AddRange(last.Select(static c => new FirstSeenClient { Address = c.Client.ToString(), At = Timestamp.FromDateTimeOffset(c.At) }));
        return seen;
    }
}

using System.Diagnostics.Metrics;
using Skep.DataPlane.Control;
using Skep.DataPlane.Engine;
using Skep.Node.Metrics;
using Skep.V1;

namespace Skep.Node.DataPlane;

/// <summary>What a data plane measures of itself; read only when somebody asks.</summary>
internal static class DataPlaneMetrics
{
    private const string Name = "skep.dataplane";
    private static readonly TimeSpan OneScrape = TimeSpan.FromMilliseconds(500);

    public static Meter Of(DataPlaneEngine engine, TimeProvider time)
    {
        var meter = new Meter(NodeMetrics.MeterName);
        DataPlaneStats? last = null;
        long readAt = 0;
        meter.CreateObservableGauge($"{Name}.table_version", () => (long)Stats().Version, description: "Version of the table in force");
        Count("forwarded_packets", "Packets of clients sent to backends", s => OfWorkers(s, static w => w.Forwarded));
        Count("returned_packets", "Answers of backends sent to clients", s => OfWorkers(s, static w => w.Returned));
        Count("kernel_packets", "Packets left to the kernel", s => OfWorkers(s, static w => w.ToKernel));
        Count("refused_flows", "New flows that were served by their hash alone", s => OfWorkers(s, static w => w.FlowsRefused));
        Count("handed_over_packets", "Packets given to the worker that knows their flow", s => OfWorkers(s, static w => w.HandedOver));
        Count("first_seen_clients", "Clients that no service had heard of before", s => [new((long)s.FirstSeen.Count)]);
        Count("dropped_packets", "Packets dropped, by reason", s => s.Drops.Select(static d => new Measurement<long>((long)d.Packets, Tag("reason", d.Reason))));
        Count("port_received_frames", "Frames received, by port", s => s.Ports.Select(static p => new Measurement<long>((long)p.Received, Tag("port", p.Name))));
        Count("port_sent_frames", "Frames sent, by port", s => s.Ports.Select(static p => new Measurement<long>((long)p.Sent, Tag("port", p.Name))));
        Count("port_lost_frames", "Frames lost at a port, by port and reason", s => s.Ports.SelectMany(Lost));
        Count("backend_packets", "Packets of clients, by backend", s => OfBackends(s, static b => b.Packets));
        Count("backend_bytes", "Bytes of clients, by backend", s => OfBackends(s, static b => b.Bytes));
        Gauge("flows", "Flows remembered", s => OfWorkers(s, static w => w.Flows));
        Gauge("backend_flows", "Flows remembered, by backend", s => OfBackends(s, static b => b.Flows));
        Gauge("backend_up", "Whether a backend gets connections", s => OfBackends(s, static b => b.State is BackendStats.Types.State.Up or BackendStats.Types.State.Checking ? 1UL : 0));
        Gauge("service_clients", "Distinct clients, estimated, by service", s => s.Services.Select(static v => new Measurement<long>((long)v.Clients, Tag("service", v.Name))));
        return meter;

        // One reading for all instruments of a scrape, which come one behind the other: they tell of one moment, and cost once.
        DataPlaneStats Stats()
        {
            if (last is null || time.GetElapsedTime(readAt) > OneScrape)
            {
                (last, readAt) = (StatsWriting.Of(engine), time.GetTimestamp());
            }
            return last;
        }

        void Count(string name, string what, Func<DataPlaneStats, IEnumerable<Measurement<long>>> read) =>
            meter.CreateObservableCounter($"{Name}.{name}", () => read(Stats()), description: what);

        void Gauge(string name, string what, Func<DataPlaneStats, IEnumerable<Measurement<long>>> read) =>
            meter.CreateObservableGauge($"{Name}.{name}", () => read(Stats()), description: what);
    }

    private static IEnumerable<Measurement<long>> OfWorkers(DataPlaneStats stats, Func<DataPlaneWorker, ulong> read) =>
        stats.Workers.Select(w => new Measurement<long>((long)read(w), Tag("worker", $"{w.Number}")));

    private static IEnumerable<Measurement<long>> Lost(DataPlanePort port) =>
        from loss in ((string Reason, ulong Frames)[])[("missed", port.Missed), ("too-long", port.TooLong), ("offload-refused", port.OffloadRefused)]
        select new Measurement<long>((long)loss.Frames, Tag("port", port.Name), Tag("reason", loss.Reason));

    private static IEnumerable<Measurement<long>> OfBackends(DataPlaneStats stats, Func<BackendStats, ulong> read) =>
        from service in stats.Services
        from backend in service.Backends
        select new Measurement<long>((long)read(backend), Tag("service", service.Name), Tag("backend", At(backend)));

    internal static string At(BackendStats backend) =>
        backend.Address.Contains(':', StringComparison.Ordinal) ? $"[{backend.Address}]:{backend.Port}" : $"{backend.Address}:{backend.Port}";

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}

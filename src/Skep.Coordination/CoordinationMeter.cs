using System.Diagnostics.Metrics;
using Skep.Coordination.Serving;

namespace Skep.Coordination;

/// <summary>A member's figures as metrics, under the names that ZooKeeper gives them to Prometheus.</summary>
internal sealed class CoordinationMeter : IDisposable
{
    private readonly Meter _meter = new("Skep.Coordination");

    public CoordinationMeter(Member member)
    {
        Gauge("znode_count", "Znodes there are.", static v => v.Tree.Count);
        Gauge("watch_count", "Watches set at this member.", static v => v.Watches.Count);
        Gauge("num_alive_connections", "Clients connected to this member.", static v => v.Connections.Count);
        Gauge("outstanding_requests", "Requests that wait for their answer at this member.", static v => v.Figures.Outstanding);
        Gauge("global_sessions", "Sessions there are, at all members.", static v => v.Tree.Sessions.Count);
        Gauge("approximate_data_size", "Bytes of all names and data.", static v => v.Tree.SizeBytes);
        Counter("packets_received", "Requests that came to this member.", static v => v.Figures.Received);
        Counter("packets_sent", "Answers and events that this member sent.", static v => v.Figures.Sent);
        Counter("stale_sessions_expired", "Sessions that this member, as leader, ended since their clients were silent.", static v => v.Figures.ExpiredSessions);
        Counter("node_changed_watch_count", "Events that this member told its clients.", static v => v.Figures.WatchesFired);
        Counter("connection_rejected", "Connections that were not taken in, since there were as many as there may be.", static v => v.Figures.ConnectionsRefused);
        Counter("bad_frames", "Connections closed since a frame was longer than is taken, or no request at all.", static v => v.Figures.BadFrames);
        Counter("quota_exceeded", "Writes beyond a quota, done or refused, while this member led.", static v => v.Figures.OverQuotas);

        void Gauge(string name, string description, Func<MemberView, long> read) => _meter.CreateObservableGauge(name, () => member.Look(read), null, description);
        void Counter(string name, string description, Func<MemberView, long> read) => _meter.CreateObservableCounter(name, () => member.Look(read), null, description);
    }

    public void Dispose() => _meter.Dispose();
}

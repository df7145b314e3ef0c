using System.Diagnostics.Metrics;

namespace Skep.Raft;

/// <summary>The room's instruments, under the meter name Skep.Raft.</summary>
internal static class RaftMeter
{
    private static readonly Meter Meter = new("Skep.Raft");

    public static Histogram<double> SyncSeconds { get; } =
        Meter.CreateHistogram<double>("skep.raft.sync.duration", "s", "Time to write and sync a batch of the log");

    public static Counter<long> Proposals { get; } =
        Meter.CreateCounter<long>("skep.raft.proposals", "{proposal}", "Proposals made durable and applied");
}

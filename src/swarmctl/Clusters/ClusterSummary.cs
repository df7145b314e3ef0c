using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Output;

namespace Swarmctl.Clusters;

/// <summary>A cluster as <c>cluster inspect</c> shows it.</summary>
internal static class ClusterSummary
{
    public static TabText Of(Cluster cluster)
    {
        ClusterSpec spec = cluster.Spec ?? new();
        TabText text = TabText.ForObject()
            .LineIf("ID", cluster.Id)
            .LineIf("Name", spec.Annotations?.Name)
            .Line("Orchestration settings:")
            .Line($"  Task history entries: {spec.Orchestration?.TaskHistoryRetentionLimit ?? 0}");
        if (spec.Dispatcher?.HeartbeatPeriod is { } heartbeat)
        {
            text.Line("Dispatcher settings:").Line($"  Dispatcher heartbeat period: {GoDuration.Format(heartbeat)}");
        }
        text.Line("Certificate Authority settings:");
        if (spec.CaConfig?.NodeCertExpiry is { } expiry)
        {
            text.Line($"  Certificate Validity Duration: {GoDuration.Format(expiry)}");
        }
        if (spec.CaConfig?.ExternalCas is { Count: > 0 } externals)
        {
            text.Line("  External CAs:");
            foreach (ExternalCA ca in externals)
            {
                text.Line($"    {WireNames.Of(ca.Protocol)}: {ca.Url}");
            }
        }
        text.Line("  Join Tokens:")
            .Line($"    Worker: {cluster.RootCa?.JoinTokens?.Worker}")
            .Line($"    Manager: {cluster.RootCa?.JoinTokens?.Manager}");
        return spec.TaskDefaults?.LogDriver is { } driver ? DriverLines.Add(text, "Default Log Driver", driver, "  ") : text;
    }
}

using System.CommandLine;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.Api;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;

namespace Swarmctl.Clusters;

/// <summary><c>swarmctl cluster …</c></summary>
internal static class ClusterCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("cluster name");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display IDs");
    private static readonly Option<bool> Autolock = new("--autolock") { Description = "Enable or disable manager autolocking (requiring an unlock key to start a stopped manager)" };
    private static readonly Option<string> CertExpiry = CommonFlags.Text("--certexpiry", "Duration node certificates will be valid for (default 2160h0m0s)", "duration");
    private static readonly Option<string[]> ExternalCa = CommonFlags.List("--external-ca", "Specifications of one or more certificate signing endpoints", "external-ca");
    private static readonly Option<string> HeartbeatPeriod = CommonFlags.Text("--heartbeatperiod", "Period when heartbeat is expected to receive from agent", "duration");
    private static readonly Option<string> LogDriver = CommonFlags.Text("--log-driver", "Set default log driver for cluster");
    private static readonly Option<string[]> LogOpt = CommonFlags.List("--log-opt", "Set options for default log driver");
    private static readonly Option<string> RotateJoinToken = CommonFlags.Text("--rotate-join-token", "Rotate join token for worker or manager");
    private static readonly Option<bool> RotateUnlockKey = new("--rotate-unlock-key") { Description = "Rotate manager unlock key" };
    private static readonly Option<long> TaskHistory = CommonFlags.Integer("--taskhistory", "Number of historic task entries to retain per slot or node");

    public static Command All() => Verb.Group(
        "cluster", "Cluster management",
        ClusterBackupCommand.Make(),
        Verb.Make("inspect", "Inspect a cluster", InspectAsync, Words),
        Verb.Make("ls", "List clusters", ListAsync, Quiet),
        Verb.Make("status", "Show the managers, and how many failures they survive", ClusterStatusCommand.RunAsync),
        ClusterUnlockCommand.Make(),
        Verb.Make("unlock-key", "Get the unlock key for a cluster", UnlockKeyAsync, Words),
        Verb.Make(
            "update", "Update a cluster", UpdateAsync,
            Words, Autolock, CertExpiry, ExternalCa, HeartbeatPeriod, LogDriver, LogOpt, RotateJoinToken, RotateUnlockKey, TaskHistory));

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Cluster cluster = await s.ClusterAsync(s.One(Words, "cluster name missing"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(cluster);
            return;
        }
        s.Output.Write(ClusterSummary.Of(cluster));
    }

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        var clusters = (await s.Control.ListClustersAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Clusters;
        if (s.Json)
        {
            s.WriteJson(clusters);
        }
        else if (s.Flags.GetValue(Quiet))
        {
            clusters.ToList().ForEach(c => s.Output.WriteLine(c.Id));
        }
        else
        {
            TabText table = TabText.ForList().Header("ID", "Name");
            clusters.ToList().ForEach(c => table.Line($"{c.Id}\t{c.Spec?.Annotations?.Name}"));
            s.Output.Write(table);
        }
    }

    private static async Task UnlockKeyAsync(Session s, CancellationToken ct)
    {
        s.One(Words, "cluster name missing");
        var answer = await new CA.CAClient(s.Connection.Invoker).GetUnlockKeyAsync(new(), cancellationToken: ct).ConfigureAwait(false);
        if (answer.UnlockKey.IsEmpty)
        {
            throw new UserException("Managers not auto-locked");
        }
        s.Output.WriteLine("SWMKEY-1-" + Convert.ToBase64String(answer.UnlockKey.Span).TrimEnd('='));
    }

    private static async Task UpdateAsync(Session s, CancellationToken ct)
    {
        string name = s.One(Words, "cluster name missing");
        KeyRotation rotation = Rotation(s);
        ClusterSpec? wanted = null;
        Cluster updated = await VersionedChange.MakeAsync(
            () => s.ClusterAsync(name, ct),
            cluster => cluster.Meta?.Version,
            async cluster =>
            {
                wanted = cluster.Spec.Clone();
                Merge(s, wanted);
                var request = new UpdateClusterRequest { ClusterId = cluster.Id, ClusterVersion = cluster.Meta?.Version, Spec = wanted, Rotation = rotation };
                return (await s.Control.UpdateClusterAsync(request, cancellationToken: ct).ConfigureAwait(false)).Cluster;
            },
            cluster => rotation.Equals(new KeyRotation()) && cluster.Spec.Equals(wanted)).ConfigureAwait(false);
        s.Output.WriteLine(
            rotation.WorkerJoinToken ? updated.RootCa.JoinTokens.Worker
            : rotation.ManagerJoinToken ? updated.RootCa.JoinTokens.Manager
            : updated.Id);
    }

    private static KeyRotation Rotation(Session s)
    {
        var rotation = new KeyRotation { ManagerUnlockKey = s.Flags.GetValue(RotateUnlockKey) };
        if (s.Has(RotateJoinToken))
        {
            switch (s.Flags.GetValue(RotateJoinToken)!.ToLowerInvariant())
            {
                case "worker": rotation.WorkerJoinToken = true; break;
                case "manager": rotation.ManagerJoinToken = true; break;
                default: throw new UserException("--rotate-join-token flag must be followed by 'worker' or 'manager'");
            }
        }
        return rotation;
    }

    private static void Merge(Session s, ClusterSpec spec)
    {
        if (s.Has(CertExpiry))
        {
            (spec.CaConfig ??= new()).NodeCertExpiry = CommonFlags.Duration(s, CertExpiry);
        }
        if (s.Has(ExternalCa))
        {
            (spec.CaConfig ??= new()).ExternalCas.Clear();
            spec.CaConfig.ExternalCas.AddRange(ExternalCaFlag.Parse(s.Flags.GetValue(ExternalCa)!));
        }
        if (s.Has(TaskHistory))
        {
            (spec.Orchestration ??= new()).TaskHistoryRetentionLimit = s.Flags.GetValue(TaskHistory);
        }
        if (s.Has(HeartbeatPeriod))
        {
            (spec.Dispatcher ??= new()).HeartbeatPeriod = CommonFlags.Duration(s, HeartbeatPeriod);
        }
        if (s.Has(Autolock))
        {
            (spec.EncryptionConfig ??= new()).AutoLockManagers = s.Flags.GetValue(Autolock);
        }
        if (CommonFlags.LogDriver(s, LogDriver, LogOpt) is { } driver)
        {
            (spec.TaskDefaults ??= new()).LogDriver = driver;
        }
    }
}

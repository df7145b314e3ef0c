using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Identity.Certificates;
using Skep.Manager.Certificates;
using Skep.Manager.Control.Rules;

namespace Skep.Manager.Control;

/// <summary>What a cluster spec must keep to (facts: moby/swarmkit manager/controlapi/cluster.go).</summary>
internal static class ClusterRules
{
    // A period below this would have every node call all the time.
    private const long MinHeartbeatNanoseconds = 100_000_000;

    /// <summary>Checks a spec on its own.</summary>
    public static void Check(ClusterSpec? spec)
    {
        if (spec is null)
        {
            throw Refusal.Invalid();
        }
        long minExpiry = CertificateProfile.MinExpiry.Ticks * TimeSpan.NanosecondsPerTick;
        if (DurationRules.Nanoseconds(spec.CaConfig?.NodeCertExpiry, "ClusterSpec: node certificate expiry") < minExpiry)
        {
            throw Refusal.Invalid($"minimum certificate expiry time is: {GoDuration.Format(CertificateProfile.MinExpiry)}");
        }
#pragma warning disable CS0612 // old clients still write it
        foreach (AcceptancePolicy.Types.RoleAdmissionPolicy policy in spec.AcceptancePolicy?.Policies ?? [])
        {
            if (policy.Secret is { } secret && !string.Equals(secret.Alg, "bcrypt", StringComparison.OrdinalIgnoreCase))
            {
                throw Refusal.Invalid($"hashing algorithm is not supported: {secret.Alg}");
            }
        }
#pragma warning restore CS0612
        switch (DurationRules.Nanoseconds(spec.Dispatcher?.HeartbeatPeriod, "ClusterSpec: heartbeat period"))
        {
            case < 0:
                throw Refusal.Invalid("heartbeat time period cannot be a negative duration");
            case > 0 and < MinHeartbeatNanoseconds and var period:
                throw Refusal.Invalid($"heartbeat time period {GoDuration.Format(period)} is too short: it must be at least {GoDuration.Format(MinHeartbeatNanoseconds)}");
        }
        if (spec.Annotations?.Name != ClusterObject.Name)
        {
            throw Refusal.Invalid("modification of cluster name is not allowed");
        }
    }

    /// <summary>Refuses what asks for another root CA.</summary>
    public static void CheckRoot(Cluster cluster, ClusterSpec wanted)
    {
        CAConfig config = wanted.CaConfig ?? new();
        if (!config.SigningCaKey.IsEmpty && config.SigningCaCert.IsEmpty)
        {
            throw Refusal.Invalid("if a signing CA key is provided, the signing CA cert must also be provided");
        }
        if (!config.SigningCaCert.IsEmpty || config.ForceRotate != (cluster.RootCa?.LastForcedRotation ?? 0))
        {
            throw Refusal.Unimplemented("the root CA cannot be replaced yet: this version keeps the root CA the cluster was founded with");
        }
        if (config.ExternalCas.Count > 0 && !config.ExternalCas.Equals(cluster.Spec?.CaConfig?.ExternalCas))
        {
            throw Refusal.Unimplemented("external CAs are not supported yet: the managers sign node certificates with the cluster's own root CA");
        }
    }
}

using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Api;
using Skep.Identity.Tokens;

namespace Skep.Manager.Tests.Control;

public sealed class ClusterTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task No_key_ever_leaves_with_a_cluster()
    {
        cluster.Change<Cluster>(cluster.Cluster.Id, c =>
        {
            c.RootCa.RootRotation = new() { CaKey = ByteString.CopyFromUtf8("next key") };
            c.Spec.CaConfig.SigningCaKey = ByteString.CopyFromUtf8("wanted key");
            c.Spec.CaConfig.SigningCaCert = ByteString.CopyFromUtf8("wanted certificate");
            c.UnlockKeys.Add(new EncryptionKey { Key = ByteString.CopyFromUtf8("unlock key") });
        });
        Cluster seen = (await cluster.Api.GetCluster(new() { ClusterId = cluster.Cluster.Id }, null!)).Cluster;
        Cluster listed = Assert.Single((await cluster.Api.ListClusters(new() { Filters = new() { Names = { "default" } } }, null!)).Clusters);
        foreach (Cluster c in new[] { seen, listed })
        {
            Assert.True(c.RootCa.CaKey.IsEmpty);
            Assert.True(c.RootCa.RootRotation.CaKey.IsEmpty);
            Assert.True(c.Spec.CaConfig.SigningCaKey.IsEmpty);
            Assert.True(c.Spec.CaConfig.SigningCaCert.IsEmpty);
            Assert.Empty(c.UnlockKeys);
            Assert.Empty(c.NetworkBootstrapKeys);
            Assert.Equal(cluster.Cluster.RootCa.JoinTokens, c.RootCa.JoinTokens);
        }
        Assert.False(cluster.Cluster.RootCa.CaKey.IsEmpty);
    }

    [Fact]
    public async Task Settings_are_changed_in_the_version_that_was_read()
    {
        Cluster before = cluster.Cluster;
        await Update(s =>
        {
            s.Orchestration.TaskHistoryRetentionLimit = 9;
            s.Dispatcher.HeartbeatPeriod = GoDuration.Parse("7s");
            s.CaConfig.NodeCertExpiry = GoDuration.Parse("1h");
        });
        Assert.Equal(9, cluster.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit);
        await ControlCluster.Refused(StatusCode.Unknown, "update out of sequence", () => Update(_ => { }, at: before));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_token_is_rotated_when_that_is_asked_for(bool worker, bool manager)
    {
        JoinTokens before = cluster.Cluster.RootCa.JoinTokens;
        await Update(_ => { }, new() { WorkerJoinToken = worker, ManagerJoinToken = manager });
        JoinTokens after = cluster.Cluster.RootCa.JoinTokens;
        Assert.Equal(worker, before.Worker != after.Worker);
        Assert.Equal(manager, before.Manager != after.Manager);
        Assert.Equal(JoinToken.Parse(before.Worker).RootDigest, JoinToken.Parse(after.Worker).RootDigest);
    }

    [Fact]
    public async Task Autolock_makes_a_key_rotates_it_and_drops_it()
    {
        await Update(s => s.EncryptionConfig.AutoLockManagers = true);
        EncryptionKey first = Assert.Single(cluster.Cluster.UnlockKeys);
        Assert.Equal(("swarm-manager", 32), (first.Subsystem, first.Key.Length));
        await Update(_ => { });
        Assert.Equal(first, Assert.Single(cluster.Cluster.UnlockKeys));
        await Update(_ => { }, new() { ManagerUnlockKey = true });
        Assert.NotEqual(first.Key, Assert.Single(cluster.Cluster.UnlockKeys).Key);
        await Update(s => s.EncryptionConfig.AutoLockManagers = false);
        Assert.Empty(cluster.Cluster.UnlockKeys);
    }

    [Theory]
    [InlineData("expiry", "minimum certificate expiry time is: 1h0m0s")]
    [InlineData("name", "modification of cluster name is not allowed")]
    [InlineData("negative heartbeat", "heartbeat time period cannot be a negative duration")]
    [InlineData("short heartbeat", "heartbeat time period 1ms is too short: it must be at least 100ms")]
    [InlineData("hash", "hashing algorithm is not supported: md5")]
    [InlineData("key alone", "if a signing CA key is provided, the signing CA cert must also be provided")]
    public async Task A_bad_spec_is_refused_and_nothing_changes(string what, string words)
    {
        Cluster before = cluster.Cluster;
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => Update(s =>
        {
            switch (what)
            {
                case "expiry":
                    s.CaConfig.NodeCertExpiry = GoDuration.Parse("59m");
                    break;
                case "name":
                    s.Annotations.Name = "other";
                    break;
                case "negative heartbeat":
                    s.Dispatcher.HeartbeatPeriod = GoDuration.Parse("-1s");
                    break;
                case "short heartbeat":
                    s.Dispatcher.HeartbeatPeriod = GoDuration.Parse("1ms");
                    break;
                case "hash":
#pragma warning disable CS0612 // what old clients write
                    s.AcceptancePolicy = new() { Policies = { new AcceptancePolicy.Types.RoleAdmissionPolicy { Secret = new() { Alg = "md5" } } } };
#pragma warning restore CS0612
                    break;
                default:
                    s.CaConfig.SigningCaKey = ByteString.CopyFromUtf8("x");
                    break;
            }
        }));
        Assert.Same(before, cluster.Cluster);
    }

    [Fact]
    public async Task Another_root_CA_is_refused_with_the_reason()
    {
        await ControlCluster.RefusedAbout(StatusCode.Unimplemented, "the root CA cannot be replaced yet", () => Update(s => s.CaConfig.ForceRotate++));
        await ControlCluster.RefusedAbout(StatusCode.Unimplemented, "the root CA cannot be replaced yet", () => Update(s => s.CaConfig.SigningCaCert = ByteString.CopyFromUtf8("x")));
        await ControlCluster.RefusedAbout(StatusCode.Unimplemented, "external CAs are not supported yet", () => Update(s => s.CaConfig.ExternalCas.Add(new ExternalCA { Url = "https://ca" })));
    }

    [Fact]
    public async Task A_request_must_say_what_it_is_about()
    {
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.GetCluster(new(), null!));
        await ControlCluster.Refused(StatusCode.NotFound, "cluster x not found", () => cluster.Api.GetCluster(new() { ClusterId = "x" }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.UpdateCluster(new() { ClusterId = "x" }, null!));
        await ControlCluster.Refused(
            StatusCode.NotFound,
            "cluster x not found",
            () => cluster.Api.UpdateCluster(new() { ClusterId = "x", ClusterVersion = new(), Spec = cluster.Cluster.Spec }, null!));
    }

    public void Dispose() => cluster.Dispose();

    // As a client does it: what was read is changed and sent back.
    private async Task Update(Action<ClusterSpec> change, KeyRotation? rotation = null, Cluster? at = null)
    {
        Cluster seen = at ?? (await cluster.Api.GetCluster(new() { ClusterId = cluster.Cluster.Id }, null!)).Cluster;
        ClusterSpec spec = seen.Spec.Clone();
        change(spec);
        await cluster.Api.UpdateCluster(new() { ClusterId = seen.Id, ClusterVersion = seen.Meta.Version, Spec = spec, Rotation = rotation }, null!);
    }
}

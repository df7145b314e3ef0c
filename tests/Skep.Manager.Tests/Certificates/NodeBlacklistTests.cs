using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Identity.Authorization;
using Skep.Manager.Certificates;

namespace Skep.Manager.Tests.Certificates;

public sealed class NodeBlacklistTests : IAsyncDisposable
{
    private readonly CertificateCluster _cluster = new();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_removed_node_stays_out_until_its_certificate_has_run_out()
    {
        _cluster.Signer.Start();
        var id = await _cluster.JoinAsync();
        await _cluster.StatusAsync(id);

        await RemoveAsync(id);

        var entry = _cluster.Object.BlacklistedCertificates[id];
        Assert.InRange(
            entry.Expiry.ToDateTimeOffset() - _cluster.Time.GetUtcNow(),
            TimeSpan.FromHours(2160) - TimeSpan.FromMinutes(1),
            TimeSpan.FromHours(2160) + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_removed_founder_whose_certificate_the_cluster_never_saw_stays_out_for_a_whole_life()
    {
        await _cluster.Store.UpdateAsync(tx => tx.Create(FirstCluster.CreateManager("founder", new())));

        await RemoveAsync("founder");

        Assert.Equal(
            _cluster.Time.GetUtcNow() + TimeSpan.FromHours(2160),
            _cluster.Object.BlacklistedCertificates["founder"].Expiry.ToDateTimeOffset());
    }

    [Fact]
    public void Entries_are_dropped_a_week_after_their_certificates_ran_out()
    {
        var now = _cluster.Time.GetUtcNow();
        var cluster = new Cluster();
        foreach (var (id, expiry) in new[] { ("long ago", -1000.0), ("8 days ago", -8), ("6 days ago", -6), ("future", 1) })
        {
            cluster.BlacklistedCertificates[id] = new BlacklistedCertificate { Expiry = Timestamp.FromDateTimeOffset(now.AddDays(expiry)) };
        }

        NodeBlacklist.DropExpired(cluster, now);

        Assert.Equal(["6 days ago", "future"], cluster.BlacklistedCertificates.Keys.Order());
    }

    [Fact]
    public async Task The_open_streams_of_a_removed_node_are_closed()
    {
        var streams = new ActiveStreams();
        var id = await _cluster.JoinAsync();
        using var gone = streams.Enter(id);
        using var stays = streams.Enter("another");
        await using var loop = new RemovedNodeStreams(_cluster.Store, streams, _cluster.Time, NullLogger<RemovedNodeStreams>.Instance);
        loop.Start();
        var closed = new TaskCompletionSource();
        using var registration = gone.Removed.Register(closed.SetResult);

        await RemoveAsync(id);

        await closed.Task.WaitAsync(CertificateCluster.Patience);
        Assert.False(stays.Removed.IsCancellationRequested);
    }

    [Fact]
    public void Network_keys_are_three_of_each_kind_at_most_and_the_newest_stay()
    {
        var cluster = new Cluster();
        var seen = new List<EncryptionKey>();
        for (var i = 0; i < 5; i++)
        {
            NetworkKeys.Rotate(cluster);
            seen = [.. seen.Union(cluster.NetworkBootstrapKeys)];
        }

        Assert.Equal(10, seen.Count);
        Assert.Equal(seen.OrderBy(k => k.LamportTime).TakeLast(6), cluster.NetworkBootstrapKeys);
        Assert.Equal(cluster.NetworkBootstrapKeys[^1].LamportTime, cluster.EncryptionKeyLamportClock);
        Assert.All(
            cluster.NetworkBootstrapKeys.GroupBy(k => k.Subsystem),
            keys => Assert.Equal(3, keys.Count()));
        Assert.All(cluster.NetworkBootstrapKeys, k => Assert.Equal(16, k.Key.Length));
    }

    [Fact]
    public async Task Network_keys_change_every_twelve_hours()
    {
        await using var rotation = new NetworkKeyRotation(_cluster.Store, _cluster.Time, NullLogger<NetworkKeyRotation>.Instance);
        using var subscription = _cluster.Store.Subscribe();
        var before = _cluster.Object.EncryptionKeyLamportClock;
        rotation.Start();

        // The loop arms its timer on another thread, so time goes on until it has.
        var changed = subscription.Commits.ReadAsync().AsTask();
        using var pause = new SemaphoreSlim(0);
        for (var i = 0; i < 1_000 && !changed.IsCompleted; i++)
        {
            _cluster.Time.Advance(TimeSpan.FromHours(1));
            await pause.WaitAsync(TimeSpan.FromMilliseconds(5));
        }

        await changed.WaitAsync(CertificateCluster.Patience);
        Assert.Equal(before + 2, _cluster.Object.EncryptionKeyLamportClock);
    }

    private async Task RemoveAsync(string id) => await _cluster.Store.UpdateAsync(tx =>
    {
        var cluster = ClusterObject.Find(tx)!.Clone();
        NodeBlacklist.Add(cluster, tx.Get<Node>(id)!, _cluster.Time.GetUtcNow());
        tx.Update(cluster);
        tx.Remove<Node>(id);
    });
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Managers;

public sealed class Strangers_among_managers(ThreeManagers managers) : IClassFixture<ThreeManagers>, IAsyncDisposable
{
    private const int Idle = 64;

    public ValueTask DisposeAsync() => new(managers.TellAsync());

    [Fact]
    public async Task Without_a_managers_certificate_nobody_is_heard_on_the_consensus_protocol()
    {
        SkepCluster c = await managers.GetAsync();
        ulong someone = NodeCertificate.MemberOf(c.Daemons[1]);
        using NodeCertificate workers = NodeCertificate.Of(c.Daemons[3]);
        await AssertClosedAsync(c.Address, certificate: null, NodeCertificate.Opening(someone));
        await AssertClosedAsync(c.Address, workers, NodeCertificate.Opening(someone));
        await AssertUnharmedAsync(c);
    }

    [Fact]
    public async Task A_manager_speaks_for_no_other_member_and_garbage_ends_its_stream_only()
    {
        SkepCluster c = await managers.GetAsync();
        using NodeCertificate second = NodeCertificate.Of(c.Daemons[1]);
        await AssertClosedAsync(c.Address, second, NodeCertificate.Opening(NodeCertificate.MemberOf(c.Daemons[2])));
        ulong own = NodeCertificate.MemberOf(c.Daemons[1]);
        await AssertClosedAsync(c.Address, second, [.. NodeCertificate.Opening(own), .. Enumerable.Repeat((byte)0xff, 1 << 16)]);
        await AssertClosedAsync(c.Address, second, [.. NodeCertificate.Opening(own), .. RandomNumberGenerator.GetBytes(1 << 16)]);
        await AssertUnharmedAsync(c);
    }

    [Fact]
    public async Task Connections_that_say_nothing_are_closed_and_keep_nobody_out()
    {
        SkepCluster c = await managers.GetAsync();
        using NodeCertificate second = NodeCertificate.Of(c.Daemons[1]);
        SslStream[] idle = await Task.WhenAll(Enumerable.Range(0, Idle).Select(_ => NodeCertificate.ConsensusAsync(c.Address, second)));
        await AssertUnharmedAsync(c);
        await Task.WhenAll(idle.Select(s => EndsAsync(s)));
        await AssertUnharmedAsync(c);
    }

    [Fact]
    public async Task Forged_headers_of_a_worker_count_for_nothing_at_a_follower_and_at_the_leader()
    {
        SkepCluster c = await managers.GetAsync();
        using NodeCertificate worker = NodeCertificate.Of(c.Daemons[3]);
        using NodeCertificate manager = NodeCertificate.Of(c.Daemons[0]);
        foreach (Daemon asked in c.Daemons.Where(d => d.Manages))
        {
            using GrpcChannel channel = worker.ChannelTo(asked.Address);
            Metadata forged = new()
            {
                { "forwarded_cert", "true" }, { "forwarded_cert_cn", manager.NodeId }, { "forwarded_cert_org", manager.ClusterId }, { "forwarded_cert_ou", "swarm-manager" },
            };
            foreach (Metadata headers in (Metadata[])[[], forged])
            {
                RpcException refused = await Assert.ThrowsAsync<RpcException>(async () =>
                    await new Control.ControlClient(channel).ListSecretsAsync(new(), headers, DateTime.UtcNow.AddSeconds(20)));
                Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
                Assert.Contains("Permission denied", refused.Status.Detail, StringComparison.Ordinal);
            }
            RpcException update = await Assert.ThrowsAsync<RpcException>(async () => await new Dispatcher.DispatcherClient(channel).UpdateTaskStatusAsync(
                new UpdateTaskStatusRequest { SessionId = "nobody's" }, forged, DateTime.UtcNow.AddSeconds(20)));
            Assert.Equal(StatusCode.PermissionDenied, update.StatusCode);
        }
    }

    [Fact]
    public async Task A_removed_managers_open_streams_are_closed_and_it_gets_no_new_ones()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        await c.OkAsync("cluster", "update", "default", "--heartbeatperiod", "1s");
        Daemon removed = c.Daemons[2];
        string id = (await c.NodeAsync(removed.Name)).Id;
        ulong member = NodeCertificate.MemberOf(removed);
        using NodeCertificate kept = NodeCertificate.Of(removed);
        using GrpcChannel channel = kept.ChannelTo(c.Address);

        // Killed, so that it cannot fetch a worker's certificate; what it had is in other hands.
        await removed.KillAsync();
        await using SslStream stream = await NodeCertificate.ConsensusAsync(c.Address, kept);
        await stream.WriteAsync(NodeCertificate.Opening(member), TestContext.Current.CancellationToken);
        using AsyncServerStreamingCall<WatchMessage> watch = new Watch.WatchClient(channel).Watch(new() { Entries = { new WatchRequest.Types.WatchEntry { Kind = "node", Action = WatchActionKind.WatchActionUpdate } } });
        await watch.ResponseHeadersAsync;

        await c.OkAsync("node", "demote", removed.Name);
        await c.ReachableAsync(2);
        await c.OkAsync("node", "remove", "--force", id);

        await EndsAsync(stream);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
            throw new InvalidOperationException("the stream ended in peace");
        });
        foreach (Daemon asked in c.Daemons.Where(d => d.Runs))
        {
            await Wait.Until($"{asked.Name} refuses its consensus stream", async () =>
            {
                await AssertClosedAsync(asked.Address, kept, NodeCertificate.Opening(member));
                return true;
            });
            using GrpcChannel again = kept.ChannelTo(asked.Address);
            RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await new Control.ControlClient(again).ListNodesAsync(new(), deadline: DateTime.UtcNow.AddSeconds(20)));
            Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
            Assert.Contains($"node {id} was removed from swarm", refused.Status.Detail, StringComparison.Ordinal);
        }
    }

    private static async Task AssertUnharmedAsync(SkepCluster c)
    {
        await c.ReachableAsync(3);
        string name = "unharmed-" + Guid.NewGuid().ToString("N")[..8];
        await c.OkAsync("service", "create", "--name", name, "--image", "redis", "--replicas", "0");
        await c.RemoveAsync(name);
        Assert.All(c.Daemons, d => Assert.True(d.Runs, d.Name + " ended"));
    }

    private static async Task AssertClosedAsync(string address, NodeCertificate? certificate, byte[] said)
    {
        try
        {
            await using SslStream stream = await NodeCertificate.ConsensusAsync(address, certificate);
            await stream.WriteAsync(said);
            await EndsAsync(stream);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // Closed already in the handshake, or while it spoke.
        }
    }

    /// <summary>Waits until the other side closes, whatever it says before.</summary>
    private static async Task EndsAsync(SslStream stream)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        byte[] buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, patience.Token) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset.
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("the stream was not closed within 60 s");
        }
    }
}

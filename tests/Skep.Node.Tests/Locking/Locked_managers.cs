using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;
using Skep.Node.Locking;
using Skep.V1;
using Control = Docker.Swarmkit.V1.Control;

namespace Skep.Node.Tests.Locking;

/// <summary>What a locked manager answers while it waits.</summary>
public sealed class Locked_managers : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("skep-locked-").FullName;
    private readonly byte[] key = UnlockKey.Generate();
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
    private readonly StateDirectory state;

    public Locked_managers()
    {
        state = new(folder);
        var keys = new NodeKeyFile(state, clock);
        ClusterFounding.Found(state, keys, clock);
        keys.WriteDataKeys(DataKeys.Generate());
        keys.Rewrap(new KeyEncryptionKey(key, 7));
    }

    private string Socket => Path.Combine(folder, "swarm.sock");

    private string RightKey => UnlockKey.Format(key);

    private static string WrongKey => UnlockKey.Format(UnlockKey.Generate());

    [Fact]
    public void A_wrong_key_is_refused_and_the_next_attempt_has_to_wait_a_second()
    {
        var attempts = new UnlockAttempts(Open, clock);

        Assert.Equal(UnlockOutcome.WrongKey, attempts.Try(WrongKey));
        Assert.Equal(UnlockOutcome.TooSoon, attempts.Try(RightKey));
        clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(UnlockOutcome.TooSoon, attempts.Try(RightKey));
        Assert.False(attempts.Unlocked.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(UnlockOutcome.Unlocked, attempts.Try(RightKey));
        Assert.True(attempts.Unlocked.IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SWMKEY-1-")]
    [InlineData("SWMTKN-1-something-else")]
    public void What_is_no_key_is_told_so_and_costs_no_attempt(string text)
    {
        var attempts = new UnlockAttempts(Open, clock);
        Assert.Equal(UnlockOutcome.NoKey, attempts.Try(text));
        Assert.Equal(UnlockOutcome.Unlocked, attempts.Try(RightKey));
    }

    [Fact]
    public async Task Every_call_is_answered_with_how_to_unlock_until_the_right_key_comes()
    {
        Task<NodeKeyFile> waiting = LockedNode.WaitAsync(Socket, Open, NullLoggerFactory.Instance, clock, TestContext.Current.CancellationToken);
        using GrpcChannel channel = Channel();
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => new Control.ControlClient(channel).ListNodesAsync(new(), Call()).ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, LockedNode.Refusal), (refused.StatusCode, refused.Status.Detail));
        var unlocking = new Unlocking.UnlockingClient(channel);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => unlocking.UnlockAsync(new() { Key = WrongKey }, Call()).ResponseAsync)).StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => unlocking.UnlockAsync(new() { Key = RightKey }, Call()).ResponseAsync)).StatusCode);
        Assert.False(waiting.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(1));
        await unlocking.UnlockAsync(new() { Key = RightKey }, Call());

        NodeKeyFile open = await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.NotNull(open.Read().DataKeys.Current);
    }

    [Fact]
    public async Task The_socket_is_its_owners_alone_and_the_waiting_ends_with_the_node()
    {
        using var stop = new CancellationTokenSource();
        Task<NodeKeyFile> waiting = LockedNode.WaitAsync(Socket, Open, NullLoggerFactory.Instance, clock, stop.Token);
        using GrpcChannel channel = Channel();
        await Assert.ThrowsAsync<RpcException>(() => new Control.ControlClient(channel).ListNodesAsync(new(), Call()).ResponseAsync);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static CallOptions Call() => new(deadline: DateTime.UtcNow + Patience, cancellationToken: TestContext.Current.CancellationToken);

    private NodeKeyFile Open(byte[] with) => new(state, clock, with);

    // The first attempts may come before the socket is there.
    private GrpcChannel Channel() => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
                while (true)
                {
                    var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    try
                    {
                        await unix.ConnectAsync(new UnixDomainSocketEndPoint(Socket), ct);
                        return new NetworkStream(unix, ownsSocket: true);
                    }
                    catch (SocketException)
                    {
                        unix.Dispose();
                        await pause.WaitForNextTickAsync(ct);
                    }
                }
            },
        },
    });
}

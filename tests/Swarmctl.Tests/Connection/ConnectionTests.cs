using Docker.Swarmkit.V1;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Connection;

/// <summary>How commands reach a manager, and what they say when they cannot.</summary>
public sealed class ConnectionTests : IAsyncDisposable
{
    private readonly FakeManager _manager = new();

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Fact]
    public async Task A_socket_that_speaks_TLS_only_is_spoken_to_with_TLS()
    {
        await _manager.StartAsync(tls: true);
        _manager.Control.AddNodes();
        GoldenFile.Matches("node-ls", (await _manager.RunAsync("node", "ls")).Succeeds().Output);
    }

    [Fact]
    public async Task What_was_read_from_standard_input_is_not_lost_over_it()
    {
        await _manager.StartAsync(tls: true);
        (await _manager.RunAsync("sesame", ["secret", "create", "key"])).Succeeds();
        Assert.Equal("sesame", Assert.IsType<CreateSecretRequest>(Assert.Single(_manager.Control.Changes)).Spec.Data.ToStringUtf8());
    }

    [Fact]
    public async Task A_socket_that_is_not_there_is_named() => (await _manager.RunAsync("node", "ls")).Fails(
        $"cannot connect to {_manager.Socket}: no such file. Is swarmd running, and is its control socket named by --socket or SWARM_SOCKET?");

    [Fact]
    public async Task A_socket_that_nobody_listens_on_is_named()
    {
        using (var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified))
        {
            socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_manager.Socket));
        }
        File.Delete(_manager.Socket);
        await File.WriteAllTextAsync(_manager.Socket, "");
        CommandResult result = await _manager.RunAsync("node", "ls");
        Assert.Equal(255, result.ExitCode);
        Assert.StartsWith($"Error: cannot connect to {_manager.Socket}: nobody listens on it.", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_the_manager_is_told_in_its_own_words()
    {
        await _manager.StartAsync();
        _manager.Control.AddService(1, "3.0.5", "");
        _manager.Control.AnswerStale(2);
        (await _manager.RunAsync("service", "update", "redis", "--force")).Fails("rpc error: code = Unknown desc = update out of sequence");
    }
}

using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Docker;

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>What a node says of an engine that is not there, or is none.</summary>
public sealed class EngineAbsenceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-engine-").FullName;

    private string EngineSocket => Path.Combine(_folder, "engine.sock");

    [Fact]
    public async Task A_socket_that_is_not_there_is_called_missing() =>
        Assert.Equal($"the engine at {EngineSocket} does not answer: there is no such socket", await ReasonAsync());

    [Fact]
    public async Task A_socket_that_nobody_listens_on_is_told_from_a_missing_one()
    {
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(EngineSocket));
            Assert.Equal($"the engine at {EngineSocket} does not answer: nobody listens on its socket", await ReasonAsync());
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    public async Task What_is_no_engine_is_waited_for_like_one_that_is_away(string answer)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        listener.Listen();
        Task serving = ServeAsync(listener, answer);

        Assert.StartsWith($"the engine at {EngineSocket} does not answer: ", await ReasonAsync(), StringComparison.Ordinal);

        listener.Close();
        await serving;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> ReasonAsync()
    {
        await using var executor = new DockerExecutor(new DockerExecutorOptions { Socket = EngineSocket, StateDirectory = _folder }, NullLogger<DockerExecutor>.Instance);
        return (await Assert.ThrowsAsync<TaskTemporaryException>(() => executor.DescribeAsync(TestContext.Current.CancellationToken))).Message;
    }

    private static async Task ServeAsync(Socket listener, string answer)
    {
        try
        {
            while (true)
            {
                using Socket connection = await listener.AcceptAsync();
                await connection.ReceiveAsync(new byte[4096]);
                await connection.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}

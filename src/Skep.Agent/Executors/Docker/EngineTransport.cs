using System.Net.Sockets;
using Docker.DotNet.Handler.Abstractions;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Docker;

/// <summary>HTTP over the engine's unix socket, with connections that are kept and used again.</summary>
internal sealed class EngineTransport(string socketPath) : IDockerHandlerFactory<EngineTransport.None>
{
    /// <summary>What requests name as their host; the engine does not look at it.</summary>
    public static readonly Uri Address = new("http://engine");

    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    public ResolvedTransport CreateHandler(ResolvedClientOptions clientOptions, ILogger logger) => new(CreateHandler(), Address);

    public ResolvedTransport CreateHandler(None transportOptions, ResolvedClientOptions clientOptions, ILogger logger) =>
        CreateHandler(clientOptions, logger);

    public Task<WriteClosableStream> HijackStreamAsync(HttpContent content) =>
        throw new NotSupportedException("nothing the agent asks of the engine takes a connection over");

    /// <summary>There is nothing to set.</summary>
    internal sealed record None;
}

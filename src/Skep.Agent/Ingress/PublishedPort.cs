using System.Net;
using System.Net.Sockets;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Ingress;

/// <summary>One published port of this machine: opened once a local task is behind it, tried again for as long as something else has it.</summary>
internal sealed class PublishedPort : IAsyncDisposable
{
    private const int ListenBacklog = 512;

    // Often it is only the port's former life that is not quite over.
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stopping = new();
    private readonly int _port;
    private readonly PortConfig.Types.Protocol _protocol;
    private readonly RelayLimits _limits;
    private readonly Action<string> _problem;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationToken _connections;
    private readonly Task _running;

    /// <summary>Starts to open the port.</summary>
    /// <param name="port">Its number.</param>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="limits">Its bounds.</param>
    /// <param name="problem">Told why the port is not open; told an empty text when it is.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Says what happens.</param>
    /// <param name="connections">Ends the connections it has carried.</param>
    public PublishedPort(
        int port,
        PortConfig.Types.Protocol protocol,
        RelayLimits limits,
        Action<string> problem,
        TimeProvider time,
        ILogger logger,
        CancellationToken connections)
    {
        (_port, _protocol, _limits, _problem, _time, _logger, _connections) = (port, protocol, limits, problem, time, logger, connections);
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    public Backends Backends { get; } = new();

    /// <summary>Why it is not open; empty when it is.</summary>
    public string Problem { get; private set; } = "";

    private string Protocol => _protocol == PortConfig.Types.Protocol.Udp ? "udp" : "tcp";

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var delay = FirstRetry;
        try
        {
            while (true)
            {
                try
                {
                    using var socket = Open();
                    IngressLog.Opened(_logger, _port, Protocol);
                    Say("");
                    await (_protocol == PortConfig.Types.Protocol.Udp
                        ? new UdpRelay(socket, _port, Backends, _limits, _time, _logger).RunAsync(_stopping.Token)
                        : new TcpRelay(socket, _port, Backends, _limits, _logger, _connections).RunAsync(_stopping.Token));
                }
                catch (SocketException e)
                {
                    var reason = e.SocketErrorCode == SocketError.AddressAlreadyInUse ? "something else on this machine listens on it" : e.Message;
                    Say($"published port {_port}/{Protocol} is not open on this node: {reason}");
                    IngressLog.NotOpened(_logger, _port, Protocol, reason, delay.TotalMilliseconds);
                    await Task.Delay(delay, _time, _stopping.Token);
                    delay = 2 * delay < _limits.BindRetry ? 2 * delay : _limits.BindRetry;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            IngressLog.Closed(_logger, _port, Protocol);
        }
    }

    private void Say(string problem)
    {
        Problem = problem;
        _problem(problem);
    }

    private Socket Open()
    {
        var (type, protocol) = _protocol == PortConfig.Types.Protocol.Udp
            ? (SocketType.Dgram, ProtocolType.Udp)
            : (SocketType.Stream, ProtocolType.Tcp);
        var six = Socket.OSSupportsIPv6;
        var socket = new Socket(six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, type, protocol);
        try
        {
            if (six)
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(six ? IPAddress.IPv6Any : IPAddress.Any, _port));
            if (type == SocketType.Stream)
            {
                socket.Listen(ListenBacklog);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

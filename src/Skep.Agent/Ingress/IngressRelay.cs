using System.Net;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Ingress;

/// <summary>
/// Makes the ports that services publish in ingress mode answer on this machine: a node that runs a task of the service
/// listens on the published port and carries what comes to its own tasks, in turn. A node without one does not listen.
/// </summary>
/// <param name="problem">Told, for a task, why a port of it is not open; told an empty text when it is.</param>
/// <param name="limits">Bounds of each port.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Says what happens.</param>
internal sealed class IngressRelay(Action<string, string> problem, RelayLimits limits, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _connections = new();
    private readonly Dictionary<(PortConfig.Types.Protocol, uint), PublishedPort> _ports = [];

    /// <summary>The ports of a task that this relay carries.</summary>
    public static IEnumerable<PortConfig> PortsOf(SwarmTask task) => task.Endpoint?.Ports.Where(p =>
        p.PublishMode == PortConfig.Types.PublishMode.Ingress && p.PublishedPort is > 0 and <= IPEndPoint.MaxPort
        && p.TargetPort is > 0 and <= IPEndPoint.MaxPort && p.Protocol != PortConfig.Types.Protocol.Sctp) ?? [];

    /// <summary>Puts a running task behind its ports.</summary>
    public void Add(SwarmTask task, IPAddress address)
    {
        foreach (var port in PortsOf(task))
        {
            PublishedPort? open;
            lock (_gate)
            {
                var key = (port.Protocol, port.PublishedPort);
                if (!_ports.TryGetValue(key, out open))
                {
                    open = new PublishedPort(
                        (int)port.PublishedPort, port.Protocol, limits, text => Say(key, text), time, logger, _connections.Token);
                    _ports.Add(key, open);
                }

                open.Backends.Set(task.Id, new IPEndPoint(address, (int)port.TargetPort));
            }

            if (open.Problem.Length > 0)
            {
                problem(task.Id, open.Problem);
            }
        }
    }

    /// <summary>Takes a task away. Connections it has go on until it ends them; a port without tasks is closed.</summary>
    public async Task RemoveAsync(string taskId)
    {
        List<PublishedPort> closed = [];
        lock (_gate)
        {
            foreach (var (key, port) in _ports.ToList())
            {
                if (port.Backends.Remove(taskId) && port.Backends.IsEmpty)
                {
                    _ports.Remove(key);
                    closed.Add(port);
                }
            }
        }

        foreach (var port in closed)
        {
            await port.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<PublishedPort> all;
        lock (_gate)
        {
            all = [.. _ports.Values];
            _ports.Clear();
        }

        foreach (var port in all)
        {
            await port.DisposeAsync();
        }

        await _connections.CancelAsync();
        _connections.Dispose();
    }

    private void Say((PortConfig.Types.Protocol, uint) key, string text)
    {
        List<string> tasks;
        lock (_gate)
        {
            tasks = _ports.TryGetValue(key, out var port) ? [.. port.Backends.TaskIds] : [];
        }

        foreach (var task in tasks)
        {
            problem(task, text);
        }
    }
}

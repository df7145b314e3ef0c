using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Engine;
using Skep.Node;
using Skep.Node.DataPlane;

namespace Swarmd;

/// <summary><c>swarmd dataplane</c>: flags in, a data plane run until it is told to stop.</summary>
internal static class DataPlaneCommand
{
    private static readonly Option<string> Socket = DaemonFlags.Text("--socket", "Listen socket of the data plane", "/var/run/swarmd-dataplane.sock");
    private static readonly Option<string[]> Port = new("--port")
    {
        Description = "A port, as driver:device with words behind: afpacket:eth1,address=192.0.2.1/24,gateway=192.0.2.254,tap=skep0; give it again for each port",
        HelpName = "string",
    };
    private static readonly Option<string> Table = DaemonFlags.Text("--table", "File with the table to start with, in JSON as swarmctl dataplane apply takes it");
    private static readonly Option<string> Wait = DaemonFlags.Text("--wait", "What a worker does while nothing comes: sleep, yield or busy", "sleep");
    private static readonly Option<int?> Workers = DaemonFlags.Count("--workers", "Workers, each with a thread and a queue of every port (default 1)");
    private static readonly Option<string> Cores = DaemonFlags.Text("--cores", "Cores that the workers are kept on, one for each: 0,1");
    private static readonly Option<int?> Flows = DaemonFlags.Count("--flows", "Flows that a worker remembers, 64 bytes each; plan for twice as many as are expected (default 262144)");
    private static readonly Option<int?> Buffers = DaemonFlags.Count("--buffers", "Packet buffers of a worker for all ports, 2 KiB each; their rings hold some at all times (default 8192)");
    private static readonly Option<string> User = DaemonFlags.Text("--user", "User to become once the ports are open, by name or as uid:gid; root to stay root", "nobody");
    private static readonly Option<string> ListenMetrics = DaemonFlags.Text("--listen-metrics", "Listen address for metrics, on the loopback");

    private const int UsualBuffers = 8_192;

    public static Command Make(Func<ParseResult, Func<ILoggerFactory, CancellationToken, Task>, CancellationToken, Task<int>> run)
    {
        var command = new Command("dataplane", "Run the data plane: an L4 load balancer on ports of its own")
        {
            Socket, Port, Table, Workers, Cores, Wait, Flows, Buffers, User, ListenMetrics,
        };
        command.SetAction((parsed, ct) => run(parsed, (logs, stop) => new DataPlaneHost(Options(parsed), logs, TimeProvider.System).RunAsync(stop), ct));
        return command;
    }

    private static DataPlaneHostOptions Options(ParseResult parsed)
    {
        string[] ports = parsed.GetValue(Port) ?? [];
        if (ports.Length == 0)
        {
            throw new NodeStartException("a data plane needs a port: give one with --port, for instance --port afpacket:eth1,address=192.0.2.1/24,tap=skep0");
        }
        try
        {
            return new DataPlaneHostOptions
            {
                Socket = Path.GetFullPath(parsed.GetValue(Socket)!),
                Engine = new DataPlaneOptions
                {
                    Ports = [.. ports.Select(PortSpec.Parse)],
                    Wait = parsed.GetValue(Wait) switch
                    {
                        "sleep" => WorkerWait.Sleep,
                        "yield" => WorkerWait.Yield,
                        "busy" => WorkerWait.Busy,
                        string other => throw new NodeStartException($"invalid argument \"{other}\" for --wait: expected sleep, yield or busy"),
                        null => WorkerWait.Sleep,
                    },
                    Workers = parsed.GetValue(Workers) ?? 1,
                    Cores = parsed.GetValue(Cores) is { } cores ? [.. cores.Split(',').Select(c => Core(c, cores))] : [],
                    Buffers = parsed.GetValue(Buffers) is { } buffers ? CheckedBuffers(buffers) : UsualBuffers,
                    Flows = parsed.GetValue(Flows) is { } flows ? new FlowLimits { Capacity = CheckedFlows(flows) } : new FlowLimits(),
                },
                TableFile = parsed.GetValue(Table),
                User = parsed.GetValue(User) is { } user && user != "root" ? user : null,
                MetricsAddress = parsed.GetValue(ListenMetrics),
            };
        }
        catch (FormatException e)
        {
            throw new NodeStartException($"--port: {e.Message}");
        }
    }

    private static int Core(string text, string all) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int core)
        ? core
        : throw new NodeStartException($"invalid argument \"{all}\" for --cores: expected numbers of cores, as in 0,1");

    private static int CheckedBuffers(int buffers) => buffers is >= 1_024 and <= 1 << 22
        ? buffers
        : throw new NodeStartException($"invalid argument \"{buffers}\" for --buffers: expected 1024 to {1 << 22}");

    private static int CheckedFlows(int flows) => flows is >= 1_024 and <= 1 << 26
        ? flows
        : throw new NodeStartException($"invalid argument \"{flows}\" for --flows: expected 1024 to {1 << 26}");
}

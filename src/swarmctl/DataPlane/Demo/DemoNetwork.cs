using System.Diagnostics;
using System.Net;

namespace Swarmctl.DataPlane.Demo;

/// <summary>
/// A client, three backends and a data plane between them, each in a namespace: <c>192.0.2.0/24</c> before it, <c>10.1.N.0/24</c> behind it,
/// the service at <c>198.51.100.1:80</c>.
/// </summary>
internal sealed class DemoNetwork : IDisposable
{
    public static readonly IPEndPoint Service = new(IPAddress.Parse("198.51.100.1"), 80);
    public static readonly string[] Backends = ["backend-a", "backend-b", "backend-c"];
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private readonly Namespaces namespaces = new();
    private readonly string folder = Directory.CreateTempSubdirectory("skep-demo-").FullName;
    private readonly List<DemoBackend> servers = [];
    private Process? balancer;

    public string Socket => Path.Combine(folder, "dataplane.sock");

    public IReadOnlyList<DemoBackend> Servers => servers;

    public string ClientPlace { get; private set; } = "";

    public IReadOnlyList<IPAddress> Clients { get; } = [.. Enumerable.Range(11, 6).Select(static n => IPAddress.Parse($"192.0.2.{n}"))];

    /// <summary>Builds it and starts all in it.</summary>
    /// <exception cref="UserException">Something cannot be had here.</exception>
    public async Task StartAsync(string driver, TimeProvider time, CancellationToken ct)
    {
        ClientPlace = namespaces.Add("client");
        string middle = namespaces.Add("balancer");
        Namespaces.Shell(middle, "echo 0 > /proc/sys/net/ipv4/ip_forward; for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6 2>/dev/null; done; true");
        Link(middle, "front", ClientPlace, "192.0.2.10", "192.0.2.1");
        foreach (IPAddress client in Clients)
        {
            Namespaces.Ip($"-n {ClientPlace} addr add {client}/24 dev eth0");
        }
        List<string> ports = [Port(driver, "front", "192.0.2.1")];
        for (int n = 1; n <= Backends.Length; n++)
        {
            string place = namespaces.Add(Backends[n - 1]);
            Link(middle, $"back{n}", place, $"10.1.{n}.2", $"10.1.{n}.1");
            ports.Add(Port(driver, $"back{n}", $"10.1.{n}.1"));
            servers.Add(new DemoBackend(Backends[n - 1], place));
            servers[^1].Start();
        }
        await StartBalancerAsync(middle, ports, time, ct);
    }

    public void Dispose()
    {
        if (balancer is not null)
        {
            balancer.Kill();
            balancer.WaitForExit();
            balancer.Dispose();
        }
        servers.ForEach(static s => s.Dispose());
        namespaces.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The table of the demonstration, in JSON as <c>apply</c> takes it.</summary>
    public static string Table() => $$"""
        {
          "services": [ {
            "name": "demo", "address": "{{Service.Address}}", "port": {{Service.Port}},
            "backends": [ {{string.Join(", ", Enumerable.Range(1, Backends.Length).Select(static n => $$"""{ "address": "10.1.{{n}}.2", "port": {{DemoBackend.Port}} }"""))}} ],
            "health_check": { "interval": "0.25s", "timeout": "0.25s", "fall": 2 }
          } ]
        }
        """;

    private static string Port(string driver, string device, string address) => $"{driver}:{device},address={address}/24,tap=tap-{device}";

    private static void Link(string middle, string device, string place, string address, string gateway)
    {
        Namespaces.Ip($"link add {device} netns {middle} type veth peer name eth0 netns {place}");
        Namespaces.Ip($"-n {middle} link set {device} up");
        Namespaces.Ip($"-n {place} addr add {address}/24 dev eth0");
        Namespaces.Ip($"-n {place} link set eth0 up");
        Namespaces.Ip($"-n {place} route add default via {gateway}");
    }

    private async Task StartBalancerAsync(string place, List<string> ports, TimeProvider time, CancellationToken ct)
    {
        string beside = Path.Combine(AppContext.BaseDirectory, "swarmd");
        var start = new ProcessStartInfo("ip", ["netns", "exec", place, File.Exists(beside) ? beside : "swarmd", "dataplane", "--socket", Socket, .. ports.SelectMany(static p => (string[])["--port", p])])
        {
            RedirectStandardError = true,
        };
        balancer = Process.Start(start)!;
        Task<string> errors = balancer.StandardError.ReadToEndAsync(ct);
        long began = time.GetTimestamp();
        while (!File.Exists(Socket))
        {
            if (balancer.HasExited || time.GetElapsedTime(began) > StartPatience)
            {
                throw new UserException("swarmd dataplane did not start: " + (balancer.HasExited ? (await errors).Trim().Split('\n')[^1] : $"its socket was not there within {StartPatience.TotalSeconds:0} s"));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, ct);
        }
    }
}

using System.Diagnostics;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>A client, a balancer and three backends, a network namespace each, with cables between; Redis and HTTP on every backend.</summary>
internal sealed class Net : IDisposable
{
    public const int Backends = 3, RedisPort = 6379, HttpPort = 80, HttpBackendPort = 8081;
    public const string Service = "198.51.100.1", FrontAddress = "192.0.2.1";
    private readonly string _prefix = $"skb{Environment.ProcessId}";
    private readonly List<string> _spaces = [];
    private readonly List<Process> _servers = [];
    private readonly string _config = Path.GetTempFileName();

    public Net()
    {
        try
        {
            Client = Add("c");
            Balancer = Add("l");
            Link(Client, "front", "192.0.2.10/24", FrontAddress);
            // As one server of many; it answers from memory, so that the balancer is what is measured.
            File.WriteAllText(_config, $"global\n nbthread 1\n maxconn 2000\ndefaults\n mode http\n timeout client 60s\n timeout http-request 60s\nfrontend f\n bind :{HttpBackendPort}\n http-request return status 200 content-type text/plain string hello\n");
            for (int n = 1; n <= Backends; n++)
            {
                string space = Add($"b{n}");
                Link(space, $"back{n}", $"10.{n}.0.2/24", $"10.{n}.0.1");
                Serve(space, $"redis-server --port {RedisPort} --bind 0.0.0.0 --save '' --appendonly no --protected-mode no");
                Serve(space, $"haproxy -db -f {_config}");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Client { get; } = "";

    public string Balancer { get; } = "";

    /// <summary>Gives the balancer's kernel the addresses, for balancers that stand on it.</summary>
    public void GiveAddressesToKernel(bool forward)
    {
        Shell.Run(Balancer, $"ip addr add {FrontAddress}/24 dev front && ip addr add {Service}/32 dev lo");
        for (int n = 1; n <= Backends; n++)
        {
            Shell.Run(Balancer, $"ip addr add 10.{n}.0.1/24 dev back{n}");
        }
        if (forward)
        {
            Shell.Run(Balancer, "echo 1 > /proc/sys/net/ipv4/ip_forward");
        }
    }

    public Process Serve(string space, string line)
    {
        Process process = Shell.Serve(space, line);
        _servers.Add(process);
        return process;
    }

    private string Add(string name)
    {
        string space = _prefix + name;
        Shell.Run($"ip netns add {space} && ip -n {space} link set lo up");
        _spaces.Add(space);
        return space;
    }

    private void Link(string space, string device, string address, string gateway)
    {
        Shell.Run($"ip link add {device} netns {Balancer} type veth peer name eth0 netns {space} && ip -n {Balancer} link set {device} up"
            + $" && ip -n {space} addr add {address} dev eth0 && ip -n {space} link set eth0 up && ip -n {space} route add default via {gateway}");
    }

    public void Dispose()
    {
        foreach (Process server in _servers)
        {
            if (!server.HasExited)
            {
                server.Kill();
                server.WaitForExit();
            }
            server.Dispose();
        }
        _spaces.ForEach(s => Shell.Run($"ip netns del {s}"));
        File.Delete(_config);
    }
}

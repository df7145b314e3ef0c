using System.Diagnostics;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>A balancer under test, in its namespace.</summary>
internal sealed class Subject : IDisposable
{
    public static readonly string[] Names = ["ours, afpacket", "ours, afxdp", "HAProxy, TCP", "nftables DNAT"];
    private readonly Net _net = new();
    private readonly Ours? _ours;
    private readonly Process? _process;
    private readonly string _config = Path.GetTempFileName();

    public Subject(string name)
    {
        try
        {
            if (name.StartsWith("ours", StringComparison.Ordinal))
            {
                _ours = new Ours(_net, xdp: name.EndsWith("afxdp", StringComparison.Ordinal));
                _process = Process.GetCurrentProcess();
            }
            else if (name.StartsWith("HAProxy", StringComparison.Ordinal))
            {
                _net.GiveAddressesToKernel(forward: false);
                // One thread, as ours has.
                string Proxy(string label, int port, int backendPort) => $"listen {label}\n bind {Net.Service}:{port}\n balance roundrobin\n"
                    + string.Concat(Enumerable.Range(1, Net.Backends).Select(n => $" server b{n} 10.{n}.0.2:{backendPort}\n"));
                File.WriteAllText(_config, "global\n nbthread 1\n maxconn 2000\ndefaults\n mode tcp\n timeout connect 10s\n timeout client 60s\n timeout server 60s\n"
                    + Proxy("redis", Net.RedisPort, Net.RedisPort) + Proxy("http", Net.HttpPort, Net.HttpBackendPort));
                _process = _net.Serve(_net.Balancer, $"haproxy -db -f {_config}");
            }
            else
            {
                _net.GiveAddressesToKernel(forward: true);
                string Rule(int port, int backendPort) => $"ip daddr {Net.Service} tcp dport {port} dnat ip to jhash ip saddr . tcp sport mod {Net.Backends} map {{ "
                    + string.Join(", ", Enumerable.Range(1, Net.Backends).Select(n => $"{n - 1} : 10.{n}.0.2 . {backendPort}")) + " }\n";
                File.WriteAllText(_config, "table ip skep {\n chain in {\n type nat hook prerouting priority -100\n" + Rule(Net.RedisPort, Net.RedisPort) + Rule(Net.HttpPort, Net.HttpBackendPort) + " }\n}\n");
                Shell.Run(_net.Balancer, $"nft -f {_config}");
            }
            Load.WaitUntilServed(_net.Client, () => _ours?.Failure);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the load comes from.</summary>
    public string Client => _net.Client;

    /// <summary>Processor time of the balancer's own process; null where it has none.</summary>
    public TimeSpan? CpuTime()
    {
        _process?.Refresh();
        return _process?.TotalProcessorTime;
    }

    public void Dispose()
    {
        _ours?.Dispose();
        _net.Dispose();
        File.Delete(_config);
    }
}

using System.Runtime.InteropServices;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Workers;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>Our worker in the balancer's namespace, on one thread.</summary>
internal sealed partial class Ours : IDisposable
{
    private const int NewNet = 0x40000000;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private Exception? _failure;

    public Ours(Net net, bool xdp)
    {
        _thread = new Thread(() =>
        {
            try
            {
                Work(net.Balancer, xdp);
            }
            catch (Exception e)
            {
                _failure = e;
            }
        });
        _thread.Start();
    }

    /// <summary>What went wrong on the worker's thread.</summary>
    public Exception? Failure => _failure;

    private void Work(string space, bool xdp)
    {
        using (var file = File.OpenHandle($"/var/run/netns/{space}"))
        {
            if (setns((int)file.DangerousGetHandle(), NewNet) != 0)
            {
                throw new InvalidOperationException($"the namespace {space} cannot be entered");
            }
        }
        using var pool = new PacketPool(8192);
        List<IPort> ports = [];
        try
        {
            foreach (string device in (string[])["front", .. Enumerable.Range(1, Net.Backends).Select(n => $"back{n}")])
            {
                ports.Add(xdp ? new AfXdpPort(device, pool, new AfXdpOptions { ReceiveFrames = 1024, SendFrames = 1024 }) : new AfPacketPort(device, pool));
            }
            using var worker = new BalancerWorker<AdaptiveSleep>([.. ports.Select(p => new WorkerPort(p))], new TableSource(Config()), pool,
                new FlowLimits { Capacity = 1 << 18, MaxEmbryonic = 1 << 17 }, TimeProvider.System);
            worker.Run(_stop.Token);
        }
        finally
        {
            ports.ForEach(p => p.Dispose());
        }
    }

    private static BalancerConfig Config()
    {
        ServiceConfig Service(string name, ushort port, ushort backendPort) => new(name, IpAddr.Parse(Net.Service), port, IpProtocol.Tcp, BalanceMode.Nat,
            [.. Enumerable.Range(1, Net.Backends).Select(n => new BackendConfig(IpAddr.Parse($"10.{n}.0.2"), backendPort))]);
        return new BalancerConfig
        {
            Interfaces = [new([LinkAddress.Parse($"{Net.FrontAddress}/24")]), .. Enumerable.Range(1, Net.Backends).Select(n => new InterfaceConfig([LinkAddress.Parse($"10.{n}.0.1/24")]))],
            Services = [Service("redis", Net.RedisPort, Net.RedisPort), Service("http", Net.HttpPort, Net.HttpBackendPort)],
        };
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int setns(int fd, int kind);
}

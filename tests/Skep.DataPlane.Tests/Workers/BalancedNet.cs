using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Tap;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>
/// A client and two backends, each in its own network namespace, and between them a namespace in which the kernel has no address
/// and one or more workers do the work.
/// </summary>
internal sealed class BalancedNet : IDisposable
{
    private const int Port = 80, BackendPort = 8080;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Netns _net = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string[] _backends = [];
    private readonly List<Socket> _listeners = [];
    private readonly Thread? _worker;
    private readonly string _queues;
    private readonly ManualResetEventSlim _ready = new();
    private Exception? _failure;

    public BalancedNet(bool tap = false, bool xdp = false, int workers = 1, int frontMtu = 1500)
    {
        _queues = $" numrxqueues {workers} numtxqueues {workers}";
        try
        {
            Client = _net.Add("c");
            Balancer = _net.Add("l");
            _backends = [_net.Add("x"), _net.Add("y")];
            Netns.Shell(Balancer, "echo 0 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
            Link(Client, "front", "192.0.2.10/24", "192.0.2.1", "2001:db8:c::10/64", "2001:db8:c::1");
            Link(_backends[0], "back1", "10.1.0.2/24", "10.1.0.1", "2001:db8:b1::2/64", "2001:db8:b1::1");
            Link(_backends[1], "back2", "10.2.0.2/24", "10.2.0.1", "2001:db8:b2::2/64", "2001:db8:b2::1");
            Netns.Command($"-n {Balancer} link set front mtu {frontMtu}");
            if (tap)
            {
                // The kernel must not hear the wire beside the tap; packet sockets come before this.
                Assert.SkipUnless(Netns.TryShell(Balancer, "nft add table netdev skep && nft 'add chain netdev skep in { type filter hook ingress device front priority 0; policy drop; }'"),
                    "the kernel cannot drop what comes in by a device (nftables, hook ingress)");
            }
            _worker = Netns.Start(Balancer, () => Work(tap, xdp, workers));
            Assert.True(_ready.Wait(Patience), "the worker did not open its ports");
            Assert.True(_failure is null, _failure?.ToString());
            if (tap)
            {
                Netns.Command($"-n {Balancer} addr add 192.0.2.1/24 dev tap0");
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

    /// <summary>All queues of all ports.</summary>
    public List<IPort> Wires { get; } = [];

    public IReadOnlyList<TapPort> Taps { get; private set; } = [];

    /// <summary>What each worker has counted.</summary>
    public List<BalancerCounters> Counters { get; } = [];

    /// <summary>Backend <paramref name="n"/> says who it is and whom it sees, then sends back what it got, until disposed.</summary>
    public void Serve(int n, bool v6)
    {
        Socket listener = Netns.Run(_backends[n - 1], () => Listen(new IPEndPoint(v6 ? IPAddress.IPv6Any : IPAddress.Any, BackendPort)));
        _listeners.Add(listener);
        new Thread(() =>
        {
            try
            {
                while (true)
                {
                    using Socket socket = listener.Accept();
                    socket.Send(Encoding.ASCII.GetBytes($"backend{n} {socket.RemoteEndPoint}\n"));
                    byte[] bytes = new byte[65_536];
                    for (int got; (got = socket.Receive(bytes)) > 0;)
                    {
                        socket.Send(bytes.AsSpan(0, got));
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over, or says itself what did not come.
            }
        })
        { IsBackground = true }.Start();
    }

    /// <summary>Both backends give whoever connects the same bytes, until disposed.</summary>
    public void Give(bool v6, byte[] bytes)
    {
        foreach (string backend in _backends)
        {
            Socket listener = Netns.Run(backend, () => Listen(new IPEndPoint(v6 ? IPAddress.IPv6Any : IPAddress.Any, BackendPort)));
            _listeners.Add(listener);
            new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        using Socket socket = listener.Accept();
                        socket.Send(bytes);
                    }
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // The test is over, or says itself what did not come.
                }
            })
            { IsBackground = true }.Start();
        }
    }

    /// <summary>What a client is given that connects to the service.</summary>
    public byte[] Take(bool v6) => Netns.Run(Client, () =>
    {
        using Socket socket = Connect(new IPEndPoint(IPAddress.Parse(v6 ? "2001:db8:f::1" : "198.51.100.1"), Port));
        var all = new MemoryStream();
        byte[] buffer = new byte[65_536];
        for (int got; (got = socket.Receive(buffer)) > 0;)
        {
            all.Write(buffer, 0, got);
        }
        return all.ToArray();
    });

    /// <summary>A client's connection to the service: the answer's first line, the client's own address, and whether its bytes came back.</summary>
    public (string Line, string Own, bool Same) Ask(bool v6, byte[] bytes) => Netns.Run(Client, () =>
    {
        using Socket socket = Connect(new IPEndPoint(IPAddress.Parse(v6 ? "2001:db8:f::1" : "198.51.100.1"), Port));
        var sending = new Thread(() =>
        {
            try
            {
                socket.Send(bytes);
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The reader says what did not come.
            }
        });
        sending.Start();
        var all = new MemoryStream();
        byte[] buffer = new byte[65_536];
        for (int got; (got = socket.Receive(buffer)) > 0;)
        {
            all.Write(buffer, 0, got);
        }
        sending.Join();
        byte[] came = all.ToArray();
        int line = Array.IndexOf(came, (byte)'\n');
        return (Encoding.ASCII.GetString(came, 0, Math.Max(0, line)), socket.LocalEndPoint!.ToString()!, came.AsSpan(line + 1).SequenceEqual(bytes));
    });

    public static Socket Listen(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(at);
        socket.Listen(64);
        return socket;
    }

    public static Socket Connect(IPEndPoint to)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
            SendTimeout = (int)Patience.TotalMilliseconds,
        };
        socket.Connect(to);
        return socket;
    }

    public void StopWorker()
    {
        _stop.Cancel();
        Assert.True(_worker!.Join(Patience), "the workers did not stop");
        Assert.True(_failure is null, _failure?.ToString());
    }

    private void Work(bool tap, bool xdp, int count)
    {
        PacketPool[] pools = [.. Enumerable.Range(0, count).Select(static _ => new PacketPool(2048))];
        var opened = new List<OpenWires>();
        var workers = new List<BalancerWorker<AdaptiveSleep>>();
        try
        {
            foreach (string device in (string[])["front", "back1", "back2"])
            {
                opened.Add(PortDrivers.Open(PortSpec.Parse(xdp ? $"afxdp:{device},receive=256" : $"afpacket:{device}"), pools));
                Wires.AddRange(opened[^1].Queues);
            }
            Taps = tap ? TapPort.OpenFor("tap0", Wires[0].Mac, pools) : [];
            var tables = new TableSource(BalancedServices.Config(Port, BackendPort));
            for (int i = 0; i < count; i++)
            {
                WorkerPort[] ports = [.. opened.Select((w, n) => new WorkerPort(w.Queues[i], tap && n == 0 ? Taps[i] : null))];
                workers.Add(new BalancerWorker<AdaptiveSleep>(ports, tables, pools[i], new FlowLimits { Capacity = 4096 }, TimeProvider.System));
                Counters.Add(workers[i].Counters);
            }
            if (count > 1)
            {
                WorkerPeers.Connect(workers, pools[0].BufferBytes, TimeProvider.System);
            }
            // The links answer at once; a first packet must not be the one that waits for them.
            DateTime until = DateTime.UtcNow + Patience;
            while (tables.Current.KnownNeighbors.Any(n => n.Mac.Value == 0) && DateTime.UtcNow < until)
            {
                workers.ForEach(static w => w.RunOnce());
                Thread.Yield();
            }
            Thread[] threads = [.. workers.Select(w => new Thread(() => Run(w)))];
            Array.ForEach(threads, static t => t.Start());
            _ready.Set();
            Array.ForEach(threads, static t => t.Join());
        }
        catch (Exception e)
        {
            _failure = e;
        }
        finally
        {
            _ready.Set();
            workers.ForEach(static w => w.Dispose());
            opened.ForEach(static w => w.Dispose());
            foreach (IDisposable one in (IEnumerable<IDisposable>)[.. Taps, .. pools])
            {
                one.Dispose();
            }
        }
    }

    private void Run(BalancerWorker<AdaptiveSleep> worker)
    {
        try
        {
            worker.Run(_stop.Token);
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void Link(string name, string device, string v4, string gateway4, string v6, string gateway6)
    {
        Netns.Command($"link add {device} netns {Balancer}{_queues} type veth peer name eth0 netns {name}{_queues}");
        Netns.Command($"-n {Balancer} link set {device} up");
        Netns.Command($"-n {name} addr add {v4} dev eth0");
        Netns.Command($"-n {name} addr add {v6} dev eth0 nodad");
        Netns.Command($"-n {name} link set eth0 up");
        Netns.Command($"-n {name} route add default via {gateway4}");
        Netns.Command($"-n {name} -6 route add default via {gateway6}");
    }

    public void Dispose()
    {
        _stop.Cancel();
        _worker?.Join(Patience);
        _listeners.ForEach(l => l.Dispose());
        _net.Dispose();
        _stop.Dispose();
        _ready.Dispose();
    }
}

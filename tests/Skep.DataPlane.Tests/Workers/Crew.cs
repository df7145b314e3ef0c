using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>Several workers, each with memory ports of its own at the front and at the back, run in turns by the test.</summary>
internal sealed class Crew : IDisposable
{
    public const int Buffers = 512;
    private readonly List<PacketPool> _pools = [];

    public Crew(int workers, BalancerConfig config, bool learn = true)
    {
        Tables = new TableSource(config);
        if (learn)
        {
            LearnAll();
        }
        var time = new FakeTimeProvider();
        for (int i = 0; i < workers; i++)
        {
            var pool = new PacketPool(Buffers);
            _pools.Add(pool);
            Fronts.Add(new MemoryPort("front", Rig.FrontMac, pool, 512));
            Backs.Add(new MemoryPort("back", Rig.BackMac, pool, 512));
            Kernels.Add(new MemoryPort("tap", Rig.BackMac, pool));
            Workers.Add(new BalancerWorker<AdaptiveSleep>([new WorkerPort(Fronts[i]), new WorkerPort(Backs[i], Kernels[i])], Tables, pool, new FlowLimits { Capacity = 4096 }, time));
        }
        if (workers > 1)
        {
            WorkerPeers.Connect(Workers, _pools[0].BufferBytes, time);
        }
    }

    public TableSource Tables { get; }

    public List<BalancerWorker<AdaptiveSleep>> Workers { get; } = [];

    public List<MemoryPort> Fronts { get; } = [];

    public List<MemoryPort> Backs { get; } = [];

    public List<MemoryPort> Kernels { get; } = [];

    /// <summary>Puts a table in force whose backends' Ethernet addresses are known.</summary>
    public void Replace(BalancerConfig config)
    {
        Tables.Replace(config);
        LearnAll();
    }

    /// <summary>A frame comes to a worker from the clients' side; what leaves on the backends', by whichever worker.</summary>
    public byte[]? ToBack(int worker, byte[] frame) => Through(Fronts[worker], frame, Backs, Fronts);

    /// <summary>A frame comes to a worker from the backends' side; what leaves on the clients'.</summary>
    public byte[]? ToFront(int worker, byte[] frame) => Through(Backs[worker], frame, Fronts, Backs);

    /// <summary>Lets all work until nobody has anything to do.</summary>
    public void Rest()
    {
        while (Workers.Sum(static w => w.RunOnce()) > 0)
        {
        }
    }

    private byte[]? Through(MemoryPort from, byte[] frame, List<MemoryPort> to, List<MemoryPort> others)
    {
        Assert.True(from.Inject(frame));
        Rest();
        Assert.All(_pools, static p => Assert.Equal(Buffers, p.Available));
        Assert.All(others, static p => Assert.Null(p.Take()));
        byte[][] came = [.. to.Select(static p => p.Take()).OfType<byte[]>()];
        Assert.True(came.Length <= 1, $"one frame became {came.Length}");
        return came.Length == 0 ? null : came[0];
    }

    private void LearnAll()
    {
        foreach (var neighbor in Tables.Current.KnownNeighbors)
        {
            neighbor.Learn(Rig.MacOf(neighbor.Address), 0);
        }
    }

    public void Dispose()
    {
        foreach (IDisposable one in (IEnumerable<IDisposable>)[.. Workers, .. Fronts, .. Backs, .. Kernels, .. _pools])
        {
            one.Dispose();
        }
    }
}

using Microsoft.Extensions.Logging;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Control;
using Skep.DataPlane.Telemetry;
using Skep.DataPlane.Workers;
using Skep.Sketches;
using Skep.V1;

namespace Skep.DataPlane.Engine;

/// <summary>A data plane that runs: its ports, the workers on their threads, the table, and what is counted.</summary>
public sealed class DataPlaneEngine : IAsyncDisposable
{
    private static readonly TimeSpan WorkersPatience = TimeSpan.FromSeconds(2);
    private readonly IReadOnlyList<PacketPool> _pools;
    private readonly SketchSeed _seed = SketchSeed.Create();
    private readonly WorkerTelemetry[] _traffic;
    private readonly List<WorkerThread> _workers = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _collecting;

    /// <summary>Opens the ports and starts the workers.</summary>
    /// <param name="options">What to open.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told what happens.</param>
    /// <exception cref="IOException">A port cannot be opened; the message says which, why, and how to mend it.</exception>
    /// <exception cref="BalancerConfigException">The ports' addresses cannot be.</exception>
    /// <exception cref="ArgumentException">The workers or their cores cannot be.</exception>
    public DataPlaneEngine(DataPlaneOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Check();
        StartedAt = time.GetUtcNow();
        Clients = new ClientRegister(time);
        Traffic = new TrafficHistory(_seed, time);
        _traffic = [.. Enumerable.Range(0, options.Workers).Select(_ => new WorkerTelemetry(_seed))];
        Keeper = new TableKeeper([.. options.Ports.Select(static p => p.Interface)], new TableTelemetry(Clients, CountedBy), time, logger);
        _pools = DpdkWords.MakePools(options.Ports, options.Buffers, options.Workers);
        Ports = [];
        try
        {
            Ports = PortOpener.Open(options.Ports, _pools);
            foreach (OpenPort port in Ports)
            {
                DataPlaneLog.Opened(logger, port.Name, port.Driver, port.Mac);
                if (port.Note.Length > 0)
                {
                    DataPlaneLog.Noted(logger, port.Name, port.Note);
                }
            }
            for (int number = 0; number < options.Workers; number++)
            {
                _workers.Add(new WorkerThread(MakeWorker(options, number, time), number, options.Cores.Count > 0 ? options.Cores[number] : null));
            }
            if (options.Workers > 1)
            {
                WorkerPeers.Connect([.. _workers.Select(static w => w.Worker)], _pools[0].BufferBytes, time);
            }
        }
        catch
        {
            Free();
            throw;
        }
        _workers.ForEach(static w => w.Start());
        Ended = Task.WhenAny(_workers.Select(static w => w.Ended)).Unwrap();
        _collecting = Task.Run(() => CollectAsync(time));
    }

    /// <summary>Since when it works.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>Ends when the first worker does, and fails with what ended it.</summary>
    public Task Ended { get; }

    internal TableKeeper Keeper { get; }

    internal IReadOnlyList<OpenPort> Ports { get; }

    internal ClientRegister Clients { get; }

    internal TrafficHistory Traffic { get; }

    internal IReadOnlyList<WorkerThread> Workers => _workers;

    /// <summary>Puts a table in force.</summary>
    /// <returns>Its version.</returns>
    /// <exception cref="BalancerConfigException">It cannot be; nothing was changed.</exception>
    /// <exception cref="StaleTableException">A newer one is in force.</exception>
    public ulong Apply(DataPlaneTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Keeper.Apply(TableReading.Of(table));
    }

    /// <summary>Brings what the workers counted until now into <see cref="Traffic"/>.</summary>
    internal void Collect()
    {
        foreach (WorkerTelemetry traffic in _traffic)
        {
            if (traffic.Take(WorkersPatience) is { } counted)
            {
                Traffic.Add(counted);
            }
        }
    }

    /// <summary>Packets and bytes that a backend's slot has counted until now, over all workers.</summary>
    internal (long Packets, long Bytes) CountedBy(ushort slot)
    {
        (long packets, long bytes) = (0, 0);
        foreach (WorkerThread thread in _workers)
        {
            BalancerCounters counters = thread.Worker.Counters;
            packets += Volatile.Read(ref counters.BackendPackets[slot]);
            bytes += Volatile.Read(ref counters.BackendBytes[slot]);
        }
        return (packets, bytes);
    }

    /// <summary>Stops the workers and closes the ports.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _collecting.ConfigureAwait(false);
        _workers.ForEach(static w => w.Stop());
        await Keeper.DisposeAsync().ConfigureAwait(false);
        Free();
        _stopping.Dispose();
    }

    // No worker runs any more.
    private void Free()
    {
        _workers.ForEach(static w => w.Dispose());
        foreach (OpenPort port in Ports)
        {
            port.Dispose();
        }
        foreach (PacketPool pool in _pools)
        {
            pool.Dispose();
        }
        Array.ForEach(_traffic, static t => t.Dispose());
    }

    private IBalancerWorker MakeWorker(DataPlaneOptions options, int number, TimeProvider time)
    {
        WorkerPort[] ports = [.. Ports.Select(p => p.ForWorker(number))];
        var telemetry = new PipelineTelemetry(_traffic[number], Clients);
        return options.Wait switch
        {
            WorkerWait.Busy => new BalancerWorker<BusyWait>(ports, Keeper.Tables, _pools[number], options.Flows, time, telemetry),
            WorkerWait.Yield => new BalancerWorker<YieldWait>(ports, Keeper.Tables, _pools[number], options.Flows, time, telemetry),
            _ => new BalancerWorker<AdaptiveSleep>(ports, Keeper.Tables, _pools[number], options.Flows, time, telemetry),
        };
    }

    // Slices end on time though nobody asks; while nothing comes, nothing is made.
    private async Task CollectAsync(TimeProvider time)
    {
        using var timer = new PeriodicTimer(TrafficHistory.Slice, time);
        long seen = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                long forwarded = _workers.Sum(static w => w.Worker.Counters.Forwarded);
                if (forwarded != seen)
                {
                    seen = forwarded;
                    Collect();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It ends.
        }
    }
}

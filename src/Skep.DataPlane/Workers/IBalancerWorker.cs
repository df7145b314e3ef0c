using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Capture;

namespace Skep.DataPlane.Workers;

/// <summary>A worker, however it waits.</summary>
internal interface IBalancerWorker : IDisposable
{
    /// <inheritdoc cref="BalancerWorker{TWait}.Counters"/>
    BalancerCounters Counters { get; }

    /// <summary>Its flows; their counts may be read from elsewhere, and whether one seems to be there.</summary>
    FlowTable FlowTable { get; }

    /// <summary>Rounds so far: one that has moved on holds no tap of before.</summary>
    long Rounds { get; }

    /// <summary>Shows its frames to a tap from the next burst on; null to no one.</summary>
    void CaptureBy(CaptureTap? tap);

    /// <summary>Makes it one of several, before it runs. From then on its peers are its own to dispose.</summary>
    void Join(WorkerPeers peers);

    /// <inheritdoc cref="BalancerWorker{TWait}.Run"/>
    void Run(CancellationToken stop);
}

using Google.Protobuf;
using Grpc.Core;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Capture;
using Skep.DataPlane.Engine;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>The data plane as it is spoken to.</summary>
/// <param name="engine">What runs.</param>
/// <param name="time">The clock of captures.</param>
public sealed class DataPlaneService(DataPlaneEngine engine, TimeProvider time) : V1.DataPlane.DataPlaneBase, IDisposable
{
    private const int MaxTop = 200;
    private static readonly TimeSpan CaptureLook = TimeSpan.FromMilliseconds(20);
    private readonly SemaphoreSlim _capturing = new(1);

    /// <inheritdoc/>
    public override Task<ApplyResponse> Apply(ApplyRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            return Task.FromResult(new ApplyResponse { Version = engine.Apply(request.Table ?? new DataPlaneTable()) });
        }
        catch (BalancerConfigException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
        catch (StaleTableException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
    }

    /// <inheritdoc/>
    public override Task<DataPlaneTable> Table(TableRequest request, ServerCallContext context) => Task.FromResult(TableWriting.Of(engine.Keeper.Wanted));

    /// <inheritdoc/>
    public override Task<DataPlaneStats> Stats(DataPlaneStatsRequest request, ServerCallContext context) => Task.FromResult(StatsWriting.Of(engine));

    /// <inheritdoc/>
    public override Task<TopTalkers> Top(TopRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Count > MaxTop)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"the first {request.Count}: {MaxTop} at most"));
        }
        engine.Collect();
        var (traffic, window) = engine.Traffic.Read(request.SinceStart);
        return Task.FromResult(TopWriting.Of(traffic, window, request.Count == 0 ? TopWriting.UsualCount : (int)request.Count));
    }

    /// <inheritdoc/>
    public override async Task Capture(CaptureRequest request, IServerStreamWriter<CapturedFrame> responseStream, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(responseStream);
        ArgumentNullException.ThrowIfNull(context);
        (CaptureFilter filter, int maxFrameBytes) = CaptureRequests.Read(request, engine.Ports);
        if (!await _capturing.WaitAsync(TimeSpan.Zero, context.CancellationToken).ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "somebody else captures at the moment; one can at a time"));
        }
        CaptureTaps? taps = null;
        try
        {
            taps = new CaptureTaps(engine.Workers.Count, filter, maxFrameBytes, time);
            for (int i = 0; i < engine.Workers.Count; i++)
            {
                engine.Workers[i].Worker.CaptureBy(taps[i]);
            }
            // The caller may begin to send now: what comes from here on is seen.
            await context.WriteResponseHeadersAsync([]).ConfigureAwait(false);
            await PassOnAsync(taps, responseStream, context.CancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller has seen enough.
        }
        finally
        {
            foreach (WorkerThread thread in engine.Workers)
            {
                thread.Worker.CaptureBy(null);
                await LeftByAsync(thread).ConfigureAwait(false);
            }
            taps?.Dispose();
            _capturing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _capturing.Dispose();

    private async Task PassOnAsync(CaptureTaps taps, IServerStreamWriter<CapturedFrame> stream, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            while (taps.TryRead(out Captured frame))
            {
                await stream.WriteAsync(
                    new CapturedFrame
                    {
                        UnixNs = (ulong)frame.UnixNs,
                        Interface = engine.Ports[frame.Port].Name,
                        Outgoing = frame.IsOutgoing,
                        Length = (uint)frame.Length,
                        Data = UnsafeByteOperations.UnsafeWrap(frame.Bytes),
                        Lost = (ulong)frame.LostBefore,
                    },
                    ct).ConfigureAwait(false);
            }
            await Task.Delay(CaptureLook, time, ct).ConfigureAwait(false);
        }
    }

    // The round that is under way may still hold the tap, and its number may be seen late: two rounds on it cannot. A worker that has
    // ended holds nothing.
    private async Task LeftByAsync(WorkerThread thread)
    {
        long round = thread.Worker.Rounds;
        while (thread.Worker.Rounds < round + 2 && !thread.Ended.IsCompleted)
        {
            await Task.Delay(CaptureLook, time).ConfigureAwait(false);
        }
    }
}

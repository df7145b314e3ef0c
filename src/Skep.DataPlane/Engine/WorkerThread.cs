using Skep.DataPlane.Native;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Engine;

/// <summary>A worker and the thread that runs it.</summary>
internal sealed class WorkerThread : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;

    /// <param name="worker">What it runs.</param>
    /// <param name="number">In its name.</param>
    /// <param name="core">Where it is kept; null for anywhere.</param>
    public WorkerThread(IBalancerWorker worker, int number, int? core)
    {
        Worker = worker;
        _thread = new Thread(() => Work(core)) { Name = $"worker {number}", IsBackground = true };
    }

    public IBalancerWorker Worker { get; }

    /// <summary>Ends with the thread, and fails with what ended it.</summary>
    public Task Ended => _ended.Task;

    public void Start() => _thread.Start();

    /// <summary>Stops the thread.</summary>
    public void Stop()
    {
        _stop.Cancel();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    /// <summary>Stops the thread and frees the worker. The others have stopped by then: they look at its flows.</summary>
    public void Dispose()
    {
        Stop();
        Worker.Dispose();
        _stop.Dispose();
    }

    private void Work(int? core)
    {
        try
        {
            if (core is { } one)
            {
                Affinity.PinTo(one);
            }
            Worker.Run(_stop.Token);
            _ended.TrySetResult();
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }
}

using Microsoft.Extensions.Logging;
using Skep.Store;

namespace Skep.Manager.Loops;

/// <summary>
/// One concern of the manager, as a loop over the store's commits and timers. It runs only while this manager leads; it can be
/// stopped and started again, and builds what it knows from the store each time it starts.
/// </summary>
public abstract partial class ManagerLoop : IAsyncDisposable
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private CancellationTokenSource? stopping;
    private Task running = Task.CompletedTask;

    /// <summary>A loop that is not started yet.</summary>
    protected ManagerLoop(TimeProvider time, ILogger logger)
    {
        Time = time;
        Logger = logger;
    }

    /// <summary>The clock of every timer of the loop.</summary>
    protected TimeProvider Time { get; }

    /// <summary>Where the loop says what it does.</summary>
    protected ILogger Logger { get; }

    /// <summary>Starts the loop; nothing happens where it runs already.</summary>
    public void Start()
    {
        lock (gate)
        {
            if (stopping is not null)
            {
                return;
            }
            stopping = new();
            CancellationToken ct = stopping.Token;
            running = Task.Run(() => RunAgainAsync(ct), CancellationToken.None);
        }
    }

    /// <summary>Stops the loop and waits until it has ended.</summary>
    public async Task StopAsync()
    {
        Task ending;
        CancellationTokenSource? source;
        lock (gate)
        {
            (source, stopping) = (stopping, null);
            ending = running;
        }
        if (source is not null)
        {
            await source.CancelAsync().ConfigureAwait(false);
            await ending.ConfigureAwait(false);
            source.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Builds the loop's state from the store and works until it is cancelled. Called again, after a pause that grows, when it
    /// fell behind the store or failed.
    /// </summary>
    protected abstract Task RunAsync(CancellationToken ct);

    private async Task RunAgainAsync(CancellationToken ct)
    {
        TimeSpan backoff = FirstBackoff;
        while (!ct.IsCancellationRequested)
        {
            long started = Time.GetTimestamp();
            try
            {
                await RunAsync(ct).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (StoreLaggedException)
            {
                LogLagged(Logger, GetType().Name);
            }
            catch (Exception e)
            {
                LogFailed(Logger, e, GetType().Name, backoff.TotalMilliseconds);
            }
            backoff = Time.GetElapsedTime(started) > LongestBackoff ? FirstBackoff : backoff;
            try
            {
                await Task.Delay(backoff, Time, ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            backoff = backoff * 2 > LongestBackoff ? LongestBackoff : backoff * 2;
        }
    }

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "{Loop} fell behind the store and starts again from it")]
    private static partial void LogLagged(ILogger logger, string loop);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message = "{Loop} failed and starts again in {DelayMs} ms")]
    private static partial void LogFailed(ILogger logger, Exception e, string loop, double delayMs);
}

using Microsoft.Extensions.Logging;
using Skep.Identity.Keys;

namespace Skep.Node.Managers;

/// <summary>
/// Gives the log another data key whenever the key file asks for it. The new key is in the file before the log uses it, and the old
/// one until the log needs it no more: whatever stops the node in between, the file opens all there is, and the next start goes on.
/// </summary>
/// <param name="keys">The key file.</param>
/// <param name="rotate">Brings the log under a key; returns when nothing on disk needs another.</param>
/// <param name="time">Waits between attempts.</param>
/// <param name="logger">Told of changes that are done, and that failed.</param>
internal sealed partial class DataKeyChange(NodeKeyFile keys, Func<ReadOnlyMemory<byte>, CancellationToken, Task> rotate, TimeProvider time, ILogger<DataKeyChange> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            Task rewrapped = keys.Rewrapped;
            try
            {
                if (keys.ChangeDataKeys(static k => k.BeginChange()).Pending is not { } next)
                {
                    await rewrapped.WaitAsync(ct).ConfigureAwait(false);
                    continue;
                }
                await rotate(next, ct).ConfigureAwait(false);
                keys.ChangeDataKeys(static k => k.EndChange());
                LogChanged(logger);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                LogNotYet(logger, e.Message, Pause.TotalSeconds);
                await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(EventId = 2241, Level = LogLevel.Information, Message = "This manager's log has a new data key, and nothing on disk is left under the old one")]
    private static partial void LogChanged(ILogger logger);

    [LoggerMessage(EventId = 2242, Level = LogLevel.Warning, Message = "The log's data key could not be changed: {Reason}. It is tried again in {DelayS} s")]
    private static partial void LogNotYet(ILogger logger, string reason, double delayS);
}

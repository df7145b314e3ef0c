using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Store.Durability;

namespace Skep.Node.Managers;

/// <summary>
/// Runs the manager while this node's certificate says that it is one: started when the node is promoted, ended when it is demoted,
/// and then its log goes too, which the others take no further part of.
/// </summary>
internal sealed partial class ManagerRole(Func<Task<ManagerHost>> start, StateDirectory state, NodeKeyFile keys, NodeIdentitySource source, TimeProvider time, ILogger<ManagerRole> logger)
    : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource failure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ManagerHost? manager;
    private Task following = Task.CompletedTask;

    /// <summary>Where this machine reaches its own manager; null while it runs none.</summary>
    public string? AddressFromHere => manager?.AddressFromHere;

    /// <summary>Fails when a manager's log does; the process must stop then.</summary>
    public Task Failure => failure.Task;

    /// <summary>Starts the manager where there is to be one, and follows the certificate from then on.</summary>
    /// <exception cref="NodeStartException">The manager cannot be started.</exception>
    public async Task StartAsync()
    {
        NodeIdentity identity = source.Current;
        if (identity.Role == NodeRole.Manager)
        {
            await TakeAsync().ConfigureAwait(false);
        }
        else
        {
            ForgetManager();
        }
        following = Task.Run(() => FollowAsync(identity, stopping.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StopAsync().ConfigureAwait(false);
        stopping.Dispose();
    }

    private async Task FollowAsync(NodeIdentity identity, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                identity = await source.NextAsync(identity, ct).ConfigureAwait(false);
                if (identity.Role == NodeRole.Manager && manager is null)
                {
                    LogPromoted(logger);
                    await TakeUntilItWorksAsync(ct).ConfigureAwait(false);
                }
                else if (identity.Role == NodeRole.Worker && manager is not null)
                {
                    LogDemoted(logger);
                    await StopAsync().ConfigureAwait(false);
                    ForgetManagerOrSay();
                }
            }
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            failure.TrySetException(e);
        }
    }

    // What keeps a promoted node from managing must not keep it from working.
    private async Task TakeUntilItWorksAsync(CancellationToken ct)
    {
        for (TimeSpan pause = FirstPause; source.Current.Role == NodeRole.Manager;)
        {
            try
            {
                await TakeAsync().ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                LogNotStarted(logger, e.Message, pause.TotalSeconds);
            }
            await Task.Delay(pause, time, ct).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task TakeAsync()
    {
        ManagerHost started = await start().ConfigureAwait(false);
        manager = started;
        _ = started.Failure.ContinueWith(
            ended => failure.TrySetException(ended.Exception!.InnerException!),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    // A worker's machine starts without anybody who knows the unlock key, and holds nothing that it would guard.
    private void ForgetManager()
    {
        MemberFile.Remove(state, DurableStore.FolderOf(state.Root));
        keys.ForgetManager();
    }

    private void ForgetManagerOrSay()
    {
        try
        {
            ForgetManager();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotForgotten(logger, e.Message);
        }
    }

    private async Task StopAsync()
    {
        if (manager is { } running)
        {
            manager = null;
            await running.DisposeAsync().ConfigureAwait(false);
        }
    }

    [LoggerMessage(EventId = 2231, Level = LogLevel.Information, Message = "This node is promoted to manager")]
    private static partial void LogPromoted(ILogger logger);

    [LoggerMessage(EventId = 2232, Level = LogLevel.Information, Message = "This node is demoted to worker; its copy of the cluster's log is removed")]
    private static partial void LogDemoted(ILogger logger);

    [LoggerMessage(EventId = 2234, Level = LogLevel.Error, Message = "What this node had as a manager could not be removed: {Reason}. The next start removes it")]
    private static partial void LogNotForgotten(ILogger logger, string reason);

    [LoggerMessage(EventId = 2233, Level = LogLevel.Error, Message = "This node is to manage and cannot: {Reason}. It goes on as a worker and tries again in {DelayS} s")]
    private static partial void LogNotStarted(ILogger logger, string reason, double delayS);
}

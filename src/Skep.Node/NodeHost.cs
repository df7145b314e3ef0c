using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Joining;
using Skep.Identity.Keys;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;
using Skep.Node.Agents;
using Skep.Node.Coordination;
using Skep.Node.Locking;
using Skep.Node.Managers;
using Skep.Node.Metrics;
using Skep.Node.Recovery;

namespace Skep.Node;

/// <summary>One machine's life in the cluster: it founds or joins, manages if its certificate says so, and works.</summary>
public sealed partial class NodeHost(NodeOptions options, ILoggerFactory logs, TimeProvider time)
{
    private readonly ILogger logger = logs.CreateLogger<NodeHost>();

    /// <summary>Runs until it is cancelled.</summary>
    /// <exception cref="NodeStartException">It cannot run, for a reason that its user can mend.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        CheckOptions();
        var state = new StateDirectory(options.StateDirectory);
        var restore = new Restore(options, state, time, logs.CreateLogger<Restore>());
        restore.CheckDirectory();
        if (options.ForceNewCluster)
        {
            ForcedCluster.Check(state);
        }
        CreateState(state);
        using StateLock held = StateLock.Take(options.StateDirectory);
        try
        {
            byte[]? unlockKey = GivenUnlockKey();
            if (options.RestoreFrom is not null)
            {
                unlockKey = await restore.RunAsync(ct).ConfigureAwait(false);
            }
            var keys = new NodeKeyFile(state, time, unlockKey);
            // Who forces a new cluster is there, and is told at once what is missing.
            if (unlockKey is null && !options.ForceNewCluster && keys.IsLocked)
            {
                LogLocked(logger, options.ControlSocket);
                keys = await LockedNode.WaitAsync(options.ControlSocket, key => new NodeKeyFile(state, time, key), logs, time, ct).ConfigureAwait(false);
                LogUnlocked(logger);
            }
            var source = new NodeIdentitySource(await IdentifyAsync(state, keys, ct).ConfigureAwait(false));
            LogStarted(logger, source.Current.NodeId, source.Current.ClusterId, source.Current.Role);
            if (options.ForceNewCluster)
            {
                await new ForcedCluster(state, logs.CreateLogger<ForcedCluster>()).RunAsync(source.Current, keys, ManagerHost.AdvertisedAddress(options), ct).ConfigureAwait(false);
            }
            await RunAsync(state, keys, source, ct).ConfigureAwait(false);
        }
        catch (KeyLockedException e)
        {
            throw new NodeStartException($"this manager is locked: {e.Message}; start it with --unlock-key SWMKEY-1-… (another manager's `swarmctl cluster unlock-key default` shows it)", e);
        }
        catch (Exception e) when (e is CertificateException or InvalidDataException)
        {
            throw new NodeStartException(e.Message, e);
        }
    }

    private async Task RunAsync(StateDirectory state, NodeKeyFile keys, NodeIdentitySource source, CancellationToken ct)
    {
        await using var manager = new ManagerRole(() => ManagerHost.StartAsync(options, state, keys, source, logs, time, ct), state, keys, source, time, logs.CreateLogger<ManagerRole>());
        await manager.StartAsync().ConfigureAwait(false);
        await using MetricsServer? metrics = options.MetricsAddress is { } address
            ? await MetricsServer.StartAsync(address, logs).ConfigureAwait(false)
            : null;
        await using var agent = new Agents.AgentHost(options, state, keys, source, () => manager.AddressFromHere, logs, time);
        agent.Start();
        var stopped = new TaskCompletionSource();
        await using CancellationTokenRegistration stopping = ct.Register(() => stopped.TrySetResult());
        Task first = await Task.WhenAny(stopped.Task, agent.Failure, manager.Failure).ConfigureAwait(false);
        if (first.IsFaulted)
        {
            // Fail stop: what the disk did not take must not be answered for.
            string what = first == agent.Failure ? "agent" : "manager";
            throw new NodeStartException($"this {what} cannot go on and the node stops: {first.Exception!.InnerException!.Message}", first.Exception);
        }
        LogStopping(logger);
    }

    private async Task<NodeIdentity> IdentifyAsync(StateDirectory state, NodeKeyFile keys, CancellationToken ct)
    {
        if (NodeIdentityStore.Load(state, keys, time.GetUtcNow(), allowExpired: true) is { } known)
        {
            if (IsForAnother(known.Root, options))
            {
                LogOtherCluster(logger, options.StateDirectory, known.ClusterId);
            }
            return known;
        }
        if (options.JoinAddress is null)
        {
            NodeIdentity founder = ClusterFounding.Found(state, keys, time);
            keys.WriteDataKeys(DataKeys.Generate());
            LogFounded(logger, founder.ClusterId);
            return founder;
        }
        JoinToken? token = options.JoinToken is not null && JoinToken.TryParse(options.JoinToken, out JoinToken? parsed) ? parsed : null;
        LogJoining(logger, options.JoinAddress);
        var client = new NodeCertificateClient(state, keys, () => options.JoinAddress, time, logs.CreateLogger<NodeCertificateClient>());
        try
        {
            return await client.JoinAsync(token, NodeSpec.Types.Availability.Active, ct).ConfigureAwait(false);
        }
        catch (JoinRefusedException e)
        {
            throw new NodeStartException(e.Message, e);
        }
        catch (FormatException e)
        {
            throw new NodeStartException($"--join-addr: {e.Message}", e);
        }
    }

    /// <summary>
    /// Whether the flags ask to join another cluster than the state directory's. That is said, not refused: a unit file keeps
    /// its token for as long as the machine lives, also past a rotation of the cluster's root.
    /// </summary>
    internal static bool IsForAnother(RootCa root, NodeOptions options) =>
        JoinToken.TryParse(options.JoinToken, out JoinToken? token) && !token.RootDigest.AsSpan().SequenceEqual(root.Digest);

    // Before anything is made: a cluster founded by a start with a wrong flag would be gone on with by the next, right one.
    private void CheckOptions()
    {
        _ = ListenAddress.Parse(options.RemoteApi, "--listen-remote-api");
        _ = NodeExecutors.EngineSocket(options.EngineAddress);
        _ = GenericResourceFlag.Parse(options.GenericResources);
        _ = CoordinationFlags.Read(options);
        Restore.CheckFlags(options);
        if (options is { JoinToken: not null, JoinAddress: null })
        {
            throw new NodeStartException("--join-token needs --join-addr: name the manager to join, for instance --join-addr 192.0.2.1:4242");
        }
        if (options.JoinToken is { } token && !JoinToken.TryParse(token, out _))
        {
            throw new NodeStartException($"{JoinToken.InvalidMessage}; --join-token takes one that swarmctl cluster inspect default shows");
        }
    }

    private void CreateState(StateDirectory state)
    {
        try
        {
            state.Create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"--state-dir {options.StateDirectory}: it cannot be made: {e.Message}; choose a directory that you may write", e);
        }
    }

    private byte[]? GivenUnlockKey()
    {
        try
        {
            return options.UnlockKey is null ? null : UnlockKey.Parse(options.UnlockKey);
        }
        catch (FormatException e)
        {
            throw new NodeStartException($"--unlock-key: {e.Message}", e);
        }
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "Node {NodeId} of cluster {ClusterId} starts as {Role}")]
    private static partial void LogStarted(ILogger logger, string nodeId, string clusterId, NodeRole role);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "Founded cluster {ClusterId}")]
    private static partial void LogFounded(ILogger logger, string clusterId);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information, Message = "Joining the cluster of {Address}")]
    private static partial void LogJoining(ILogger logger, string address);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "{StateDirectory} belongs to cluster {ClusterId}, and --join-token is of another root: --join-addr and --join-token are not looked at. To join another cluster, give a --state-dir that is empty")]
    private static partial void LogOtherCluster(ILogger logger, string stateDirectory, string clusterId);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Warning, Message = "This manager is locked and waits for its unlock key: give it with swarmctl --socket {ControlSocket} cluster unlock, or start with --unlock-key")]
    private static partial void LogLocked(ILogger logger, string controlSocket);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Information, Message = "This manager is unlocked")]
    private static partial void LogUnlocked(ILogger logger);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Information, Message = "Stopping; tasks go on and are found again")]
    private static partial void LogStopping(ILogger logger);
}

using System.Diagnostics.CodeAnalysis;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Agent.Executors;
using Skep.Agent.Session;
using Skep.Agent.Tasks;

namespace Skep.Agent;

/// <summary>
/// The worker's side of a node: registered with a manager, it runs what it is assigned and reports what becomes of it. It
/// serves any manager that speaks docker.swarmkit.v1, a Docker Engine's included.
/// </summary>
/// <param name="options">What it needs of the node.</param>
/// <param name="executor">What runs tasks; disposed by whoever made it.</param>
/// <param name="logger">Says what happens.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "Neither holds anything: nobody takes a handle of them, and Leave may come at any time.")]
public sealed class NodeAgent(AgentOptions options, IExecutor executor, ILogger<NodeAgent> logger)
{
    private static readonly TimeSpan DescribePeriod = TimeSpan.FromSeconds(20);

    private readonly NodeDescriber _describer = new(executor, options);
    private readonly StatusReports _reports = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _refresh = new(0, 1);
    private readonly CancellationTokenSource _leaving = new();
    private volatile NodeDescription? _description;
    private volatile Node? _node;

    /// <summary>Completes when a manager has taken the node in for the first time.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The node's own object as a manager last sent it.</summary>
    public Node? Node => _node;

    /// <summary>Keys the nodes of the cluster share for their networks, as a manager last sent them.</summary>
    public IReadOnlyList<EncryptionKey> NetworkBootstrapKeys { get; private set; } = [];

    /// <summary>How many statuses no manager has acknowledged yet.</summary>
    public int UnreportedCount => _reports.Count;

    /// <summary>Looks at once whether the node's description changed, for instance because its certificate did.</summary>
    public void RefreshDescription()
    {
        try
        {
            _refresh.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to look already.
        }
    }

    /// <summary>Runs until it is cancelled. What runs on the node goes on running.</summary>
    /// <exception cref="InvalidDataException">The file of tasks is damaged; the message names file and offset.</exception>
    /// <exception cref="IOException">The file of tasks cannot be read or written.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var store = TaskStore.Open(options.Folder, logger);
        _description = await _describer.DescribeAsync(cancellationToken);
        await using var worker = new Worker(store, executor, _reports, () => _description, options.Time, logger);
        worker.Resume();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _leaving.Token);
        try
        {
            await SessionsAsync(worker, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                await worker.RemoveAllAsync(cancellationToken);
            }
        }
    }

    /// <summary>Has <see cref="RunAsync"/> take nothing more on, remove every task of the node, and then end.</summary>
    public void Leave() => _leaving.Cancel();

    private async Task SessionsAsync(Worker worker, CancellationToken cancellationToken)
    {
        var backoff = new SessionBackoff(options.Random);
        var sessionId = "";
        while (true)
        {
            await Task.Delay(backoff.NextDelay(), options.Time, cancellationToken);
            var manager = options.Remotes.Select();
            if (manager is null)
            {
                SessionLog.NoManager(logger);
                await options.Remotes.NextChangeAsync(cancellationToken);
                continue;
            }

            try
            {
                using var channel = options.OpenChannel(manager);
                var session = new ManagerSession(channel, manager.Address, _reports, worker, options.Time, logger);
                try
                {
                    _description = await _describer.DescribeAsync(cancellationToken);
                    await session.RunAsync(
                        new SessionRequest { Description = _description, SessionId = sessionId },
                        OnMessageAsync,
                        () =>
                        {
                            backoff.Reset();
                            options.Remotes.Observe(manager, succeeded: true);
                            _ready.TrySetResult();
                        },
                        UntilDescriptionChangesAsync,
                        cancellationToken);
                }
                finally
                {
                    sessionId = session.Id.Length > 0 ? session.Id : sessionId;
                }
            }
            catch (DescriptionChangedException)
            {
                SessionLog.DescriptionChanged(logger);
            }
            catch (Exception e)
            {
                // Calls that were cancelled end in many ways; this is the one the caller knows.
                cancellationToken.ThrowIfCancellationRequested();
                backoff.Failed();
                options.Remotes.Observe(manager, succeeded: false);
                SessionLog.Failed(logger, manager.Address, Reason(e), backoff.Bound.TotalMilliseconds);
            }
        }
    }

    private async Task UntilDescriptionChangesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var period = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(_refresh.WaitAsync(period.Token), Task.Delay(DescribePeriod, options.Time, period.Token));
            await period.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            if (!(await _describer.DescribeAsync(cancellationToken)).Equals(_description))
            {
                throw new DescriptionChangedException();
            }
        }
    }

    private async Task OnMessageAsync(SessionMessage message, CancellationToken cancellationToken)
    {
        options.Remotes.Replace(message.Managers);
        if (message.NetworkBootstrapKeys.Count > 0)
        {
            NetworkBootstrapKeys = [.. message.NetworkBootstrapKeys];
        }

        Node? changed = null;
        if (message.Node is { } node && !Same(node, _node))
        {
            changed = _node = node;
            try
            {
                await executor.ConfigureAsync(node, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                SessionLog.ConfigureFailed(logger, e.Message);
            }
        }

        var trusted = options.TlsInfo()?.TrustRoot;
        var root = message.RootCA.Length > 0 && trusted is not null && !message.RootCA.Equals(trusted) ? message.RootCA.Memory : default;
        if (changed is not null || !root.IsEmpty)
        {
            await options.OnNodeChanged(new NodeChanges(changed, root), cancellationToken);
        }
    }

    // What managers note of a node at every heartbeat is nothing to it.
    private static bool Same(Node a, Node? b)
    {
        if (b is null)
        {
            return false;
        }

        var (x, y) = (a.Clone(), b.Clone());
        (x.Meta, y.Meta, x.Status, y.Status, x.ManagerStatus, y.ManagerStatus) = (null, null, null, null, null, null);
        (x.Description, y.Description) = (null, null);
        return x.Equals(y);
    }

    private static string Reason(Exception e) => e is RpcException rpc
        ? rpc.Status.DebugException?.GetBaseException().Message is { Length: > 0 } beneath
            ? $"{rpc.StatusCode}: {rpc.Status.Detail} ({beneath})"
            : $"{rpc.StatusCode}: {rpc.Status.Detail}"
        : e.Message;

    private sealed class DescriptionChangedException() : Exception("the node's description changed");
}

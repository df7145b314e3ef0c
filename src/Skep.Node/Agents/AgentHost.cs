using System.Diagnostics.Metrics;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Agent;
using Skep.Agent.Executors;
using Skep.Agent.Session;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Joining;
using Skep.Identity.Keys;
using Skep.Identity.Renewal;
using Skep.Identity.Tls;
using Skep.Node.Metrics;

namespace Skep.Node.Agents;

/// <summary>The worker's side of this node: agent, executors and the renewal of its certificate.</summary>
internal sealed partial class AgentHost : IAsyncDisposable
{
    private readonly StateDirectory state;
    private readonly NodeIdentitySource source;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly IExecutor executor;
    private readonly NodeAgent agent;
    private readonly Meter meter;
    private readonly CertificateRenewer renewer;
    private readonly CancellationTokenSource stopping = new();
    private Task running = Task.CompletedTask;

    public AgentHost(
        NodeOptions options, StateDirectory state, NodeKeyFile keys, NodeIdentitySource source, Func<string?> managerFromHere, ILoggerFactory logs, TimeProvider time)
    {
        this.state = state;
        this.source = source;
        this.time = time;
        logger = logs.CreateLogger<AgentHost>();
        executor = NodeExecutors.Create(options, logs, time);
        var random = new Random();
        var remotes = new Remotes(FirstManagers(options, managerFromHere()), random, Save);
        // What this manager advertises may lie behind a translation that it cannot reach itself through.
        string AddressOf(KnownManager manager) => manager.NodeId == source.Current.NodeId && managerFromHere() is { } here ? here : manager.Address;
        var client = new NodeCertificateClient(state, keys, () => remotes.Select() is { } manager ? AddressOf(manager) : null, time, logs.CreateLogger<NodeCertificateClient>());
        renewer = new CertificateRenewer(source, ct => client.RenewAsync(source, ct), time, random, logs.CreateLogger<CertificateRenewer>());
        agent = new NodeAgent(
            new AgentOptions
            {
                Folder = Path.Combine(options.StateDirectory, "worker"),
                Remotes = remotes,
                OpenChannel = manager => ManagerChannel.As(source, AddressOf(manager)),
                TlsInfo = () => source.Current.TlsInfo,
                OnNodeChanged = OnNodeChangedAsync,
                Hostname = options.Hostname,
                EngineLabels = new Dictionary<string, string> { [SkepMark.EngineLabel] = SkepMark.Version },
                GenericResources = [.. GenericResourceFlag.Parse(options.GenericResources)],
                Random = random,
                Time = time,
            },
            executor,
            logs.CreateLogger<NodeAgent>());
        meter = NodeMetrics.OfAgent(agent);
    }

    /// <summary>Fails when the agent cannot go on, such as over a damaged file of tasks.</summary>
    public Task Failure { get; private set; } = Task.CompletedTask;

    public void Start()
    {
        CancellationToken ct = stopping.Token;
        Failure = Task.Run(() => agent.RunAsync(ct), CancellationToken.None);
        running = Task.WhenAll(Failure, Task.Run(() => renewer.RunAsync(ct), CancellationToken.None), Task.Run(() => FollowIdentityAsync(ct), CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // That is how it stops.
        }
        catch (Exception e)
        {
            // Whoever waits for Failure has its reason; stopping goes on.
            LogEnded(logger, e.Message);
        }
        await executor.DisposeAsync().ConfigureAwait(false);
        meter.Dispose();
        stopping.Dispose();
    }

    private IEnumerable<KnownManager> FirstManagers(NodeOptions options, string? managerFromHere) =>
        managerFromHere is not null ? [new KnownManager(source.Current.NodeId, managerFromHere), .. KnownManagers.Load(state).Where(m => m.NodeId != source.Current.NodeId)]
        : KnownManagers.Load(state) is { Count: > 0 } known ? [.. known, .. Named(options).Where(n => known.All(m => m.Address != n.Address))]
        : Named(options);

    // Tried where none of those known answers: a cluster that was restored may be reached somewhere else.
    private static IEnumerable<KnownManager> Named(NodeOptions options) =>
        options.JoinAddress is { } address ? [new KnownManager("", address)]
        : [];

    private void Save(IReadOnlyList<KnownManager> managers)
    {
        try
        {
            KnownManagers.Save(state, managers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotSaved(logger, e.Message);
        }
    }

    private Task OnNodeChangedAsync(NodeChanges changes, CancellationToken ct)
    {
        if (!changes.RootCa.IsEmpty)
        {
            RootCa root = RootCa.FromBundle(changes.RootCa.Span);
            NodeIdentityStore.SaveRoot(state, root);
            source.ReplaceRoot(root, time.GetUtcNow());
        }
        if (changes.Node is { } node)
        {
            // Not the role that is wanted: a manager that is demoted leaves the others first, and only then is there another
            // certificate for it.
            renewer.ExpectRole(node.Role);
            if (node.Certificate?.Status?.State == IssuanceStatus.Types.State.Rotate)
            {
                renewer.RenewNow();
            }
        }
        return Task.CompletedTask;
    }

    // What the node says of its certificate is part of its description.
    private async Task FollowIdentityAsync(CancellationToken ct)
    {
        while (true)
        {
            await source.NextAsync(source.Current, ct).ConfigureAwait(false);
            agent.RefreshDescription();
        }
    }

    [LoggerMessage(EventId = 2101, Level = LogLevel.Error, Message = "The agent ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string reason);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Warning, Message = "The list of managers could not be saved: {Reason}")]
    private static partial void LogNotSaved(ILogger logger, string reason);
}

using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Keys;
using Skep.Manager.Allocation;
using Skep.Manager.Attachments;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Manager.Dispatch;
using Skep.Manager.Health;
using Skep.Manager.Logs;
using Skep.Manager.Loops;
using Skep.Manager.Membership;
using Skep.Manager.Orchestration;
using Skep.Manager.Roles;
using Skep.Manager.Scheduling;
using Skep.Manager.Watch;
using Skep.Manager.Why;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Manager;

/// <summary>
/// The parts of one manager, put together over its store: loops, most of which run while it leads, and services, which answer
/// while it listens. Whoever listens maps the services; nothing here opens a socket.
/// </summary>
public sealed class ManagerParts : IAsyncDisposable
{
    private readonly IReadOnlyList<ManagerLoop> leading;
    private readonly IReadOnlyList<ManagerLoop> always;

    /// <summary>All parts, not started.</summary>
    /// <param name="store">The cluster's objects.</param>
    /// <param name="identity">This manager's node.</param>
    /// <param name="keys">Its key file, which is locked as the cluster says.</param>
    /// <param name="streams">The open streams of nodes, closed when one is removed.</param>
    /// <param name="members">The managers that agree.</param>
    /// <param name="coordination">The coordination's group, whose members follow the managers.</param>
    /// <param name="reach">Reaches a manager that wants to join.</param>
    /// <param name="addresses">How callers reach this manager.</param>
    /// <param name="time">The clock of every loop.</param>
    /// <param name="random">Spreads heartbeats.</param>
    /// <param name="logs">Where they say what they do.</param>
    public ManagerParts(
        ClusterStore store, NodeIdentitySource identity, NodeKeyFile keys, ActiveStreams streams, StoreMembers members, StoreMembers coordination, ReachMember reach,
        ManagerAddresses addresses, TimeProvider time, Random random, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(addresses);
        var signer = new CertificateSigner(store, time, logs.CreateLogger<CertificateSigner>());
        var dispatcher = new NodeDispatcher(store, identity.Current.NodeId, time, random, logs.CreateLogger<NodeDispatcher>());
        var roster = new ManagerRoster(members, coordination, id => CoordinationObservers.Has(id, members.View, store.Read(static view => view.List<Node>().ToList())), time);
        var hub = new LogHub(store, time, logs.CreateLogger<LogHub>());
        Authority = new CertificateAuthorityService(store, () => identity.Current.Root);
        NodeCertificates = new NodeCertificateService(store, signer, roster, time, logs.CreateLogger<NodeCertificateService>());
        Control = new ControlService(store, roster, time, logs.CreateLogger<ControlService>());
        Why = new WhyExplainer(store, time);
        Dispatcher = new DispatcherService(dispatcher, addresses.SeenBy);
        LogBroker = new LogBrokerService(hub);
        Logs = new LogsService(hub);
        Watch = new WatchService(store);
        Attachments = new ResourceAllocatorService(store, time);
        Membership = new RaftMembershipService(store, members, roster, reach, logs.CreateLogger<RaftMembershipService>());
        Managers = new ManagersService(store, roster, identity.Current.NodeId, time);
        Health = new HealthService();
        always =
        [
            new RemovedNodeStreams(store, streams, time, logs.CreateLogger<RemovedNodeStreams>()),
            new CoordinationMembers(store, members, coordination, time, logs.CreateLogger<CoordinationMembers>()),
            new ManagerLock(store, members.TryCatchUpAsync, keys, time, logs.CreateLogger<ManagerLock>()),
        ];
        leading =
        [
            signer,
            new ManagerRoles(store, members, coordination, roster, time, logs.CreateLogger<ManagerRoles>()),
            new NetworkKeyRotation(store, time, logs.CreateLogger<NetworkKeyRotation>()),
            new Allocator(store, time, logs.CreateLogger<Allocator>()),
            new Scheduler(store, time, logs.CreateLogger<Scheduler>()),
            .. OrchestrationLoops.All(store, time, logs),
            dispatcher,
            hub,
        ];
    }

    /// <summary>Root CA and unlock key.</summary>
    public CertificateAuthorityService Authority { get; }

    /// <summary>Lets nodes in.</summary>
    public NodeCertificateService NodeCertificates { get; }

    /// <summary>What people change the cluster with.</summary>
    public ControlService Control { get; }

    /// <summary>Why something waits.</summary>
    public WhyExplainer Why { get; }

    /// <summary>What agents speak with.</summary>
    public DispatcherService Dispatcher { get; }

    /// <summary>The agents' side of logs.</summary>
    public LogBrokerService LogBroker { get; }

    /// <summary>The readers' side of logs.</summary>
    public LogsService Logs { get; }

    /// <summary>The store's changes.</summary>
    public WatchService Watch { get; }

    /// <summary>Attachments of nodes' own containers.</summary>
    public ResourceAllocatorService Attachments { get; }

    /// <summary>Which parts serve.</summary>
    public HealthService Health { get; }

    /// <summary>How the managers fare.</summary>
    public ManagersService Managers { get; }

    /// <summary>Takes managers into the group.</summary>
    public RaftMembershipService Membership { get; }

    /// <summary>Starts what every manager does.</summary>
    public void Start()
    {
        foreach (ManagerLoop loop in always)
        {
            loop.Start();
        }
        Health.Set(HealthService.Raft, serving: true);
        Health.Set(HealthService.ControlApi, serving: true);
    }

    /// <summary>Starts what the leader does.</summary>
    public void StartLeading()
    {
        foreach (ManagerLoop loop in leading)
        {
            loop.Start();
        }
    }

    /// <summary>Stops what the leader does, and waits for it.</summary>
    public Task StopLeadingAsync() => Task.WhenAll(leading.Select(static l => l.StopAsync()));

    /// <summary>Stops every loop and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        Health.Set(HealthService.Raft, serving: false);
        Health.Set(HealthService.ControlApi, serving: false);
        await StopLeadingAsync().ConfigureAwait(false);
        await Task.WhenAll(always.Select(static l => l.StopAsync())).ConfigureAwait(false);
    }
}

using System.Diagnostics.Metrics;
using System.Net;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tls;
using Skep.Manager;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Manager.Membership;
using Skep.Node.Coordination;
using Skep.Node.Forwarding;
using Skep.Node.Listeners;
using Skep.Node.Metrics;
using Skep.Node.Recovery;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>The manager of this node: its part in the group taken up, its listeners open, its loops running while it leads.</summary>
internal sealed partial class ManagerHost : IAsyncDisposable
{
    private static readonly TimeSpan RoomPause = TimeSpan.FromSeconds(1);

    private readonly DurableStore store;
    private readonly CoordinationHost coordination;
    private readonly ManagerParts parts;
    private readonly Leadership leadership;
    private readonly ManagerServer server;
    private readonly LeadHandOver handOver;
    private readonly Meter meter;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task joining;
    private readonly Task changingKeys;

    private ManagerHost(
        DurableStore store, CoordinationHost coordination, ManagerParts parts, Leadership leadership, ManagerServer server, GroupJoining joining, DataKeyChange keyChange,
        LeadHandOver handOver, string addressFromHere)
    {
        (this.store, this.coordination, this.parts, this.leadership, this.server, this.handOver) = (store, coordination, parts, leadership, server, handOver);
        meter = NodeMetrics.OfManager(store, coordination);
        AddressFromHere = addressFromHere;
        parts.Start();
        leadership.Start();
        this.joining = Task.Run(() => joining.RunAsync(stopping.Token));
        changingKeys = Task.Run(() => keyChange.RunAsync(stopping.Token));
        Failure = FirstFailure([store.Completion, leadership.Completion, .. coordination.Parts]);
    }

    /// <summary>Where this machine reaches the manager's remote port.</summary>
    public string AddressFromHere { get; }

    /// <summary>Fails when the log does; the process must stop then.</summary>
    public Task Failure { get; }

    /// <exception cref="NodeStartException">The log or an address is in the way.</exception>
    public static async Task<ManagerHost> StartAsync(
        NodeOptions options, StateDirectory state, NodeKeyFile keys, NodeIdentitySource identity, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        IPEndPoint remote = ListenAddress.Parse(options.RemoteApi, "--listen-remote-api");
        string fromHere = ListenAddress.FromHere(remote);
        string advertised = AdvertisedAddress(options);
        string nodeId = identity.Current.NodeId;
        (DurableStore store, CoordinationHost coordination) = await OpenLogAsync(options, state, keys, identity, advertised, logs, time, ct).ConfigureAwait(false);
        try
        {
            await coordination.StartAsync(ct).ConfigureAwait(false);
            await RenewOwnCertificateAsync(store, keys, identity, time, ct).ConfigureAwait(false);
            var streams = new ActiveStreams();
            var parts = new ManagerParts(
                store.Store,
                identity,
                keys,
                streams,
                store.Members,
                coordination.Members,
                (member, address, token) => ReachAsync(identity, store.MemberId, member, address, token),
                new ManagerAddresses(() => advertised, context => options.AdvertisedRemoteApi ?? (context.Caller().ForwardedBy is null ? LocalAddress.Of(context, fromHere) : advertised)),
                time,
                new Random(),
                logs);
            ClusterMembership Cluster() => (store.Store.Read(ClusterObject.Find) is { } cluster ? ClusterMembership.Of(cluster) : new ClusterMembership(identity.Current.ClusterId, static _ => false)) with
            {
                IsFormerManager = id => store.Store.Read(view => view.Get<Docker.Swarmkit.V1.Node>(id)) is { Role: NodeRole.Worker },
            };
            var authorization = new AuthorizingInterceptor(identity, Cluster, streams);
            var watch = new LeaderWatch(store, member => NameOf(store, member), time);
            ManagerServer server = await ManagerServer.StartAsync(
                options,
                remote,
                new ServerTls(identity),
                authorization,
                new ConsensusConnection(store.ServePeerAsync, Cluster, streams),
                forwarder => new LeaderForwarder(store, identity, watch, forwarder, authorization, () => advertised, time),
                services => Add(services, parts),
                Map,
                logs,
                time).ConfigureAwait(false);
            var leadership = new Leadership(
                store.Members,
                parts,
                watch,
                async token =>
                {
                    await ClusterFounding.CompleteAsync(store.Store, state, identity.Current, Settings(options), token).ConfigureAwait(false);
                    await new ForcedCluster(state, logs.CreateLogger<ForcedCluster>()).CompleteAsync(store, nodeId, time, token).ConfigureAwait(false);
                },
                time,
                logs.CreateLogger<Leadership>());
            int asked = 0;
            var joining = new GroupJoining(
                store.Members, identity, advertised, () => PickManager(state, options, nodeId, fromHere, asked++), time, logs.CreateLogger<GroupJoining>());
            var keyChange = new DataKeyChange(keys, store.RotateDataKeyAsync, time, logs.CreateLogger<DataKeyChange>());
            var handOver = new LeadHandOver(store.Members, coordination.Members, logs.CreateLogger<LeadHandOver>());
            return new ManagerHost(store, coordination, parts, leadership, server, joining, keyChange, handOver, fromHere);
        }
        catch
        {
            await coordination.DisposeAsync().ConfigureAwait(false);
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where other nodes are told that they reach this one, host:port.</summary>
    public static string AdvertisedAddress(NodeOptions options) =>
        options.AdvertisedRemoteApi ?? LocalAddress.Advertise(ListenAddress.Parse(options.RemoteApi, "--listen-remote-api"));

    public async ValueTask DisposeAsync()
    {
        // The lead first, so that the others need not notice its loss; then callers, what decides, and what keeps.
        await stopping.CancelAsync().ConfigureAwait(false);
        await joining.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await changingKeys.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await handOver.RunAsync().ConfigureAwait(false);
        meter.Dispose();
        await coordination.DisposeAsync().ConfigureAwait(false);
        await server.DisposeAsync().ConfigureAwait(false);
        await leadership.DisposeAsync().ConfigureAwait(false);
        await parts.DisposeAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }

    // One that ends otherwise must not hide another's failure.
    private static Task FirstFailure(IEnumerable<Task> parts)
    {
        var failure = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (Task part in parts)
        {
            _ = part.ContinueWith(
                ended => failure.TrySetException(ended.Exception!.InnerExceptions),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
        return failure.Task;
    }

    private static async Task<(DurableStore Store, CoordinationHost Coordination)> OpenLogAsync(
        NodeOptions options, StateDirectory state, NodeKeyFile keys, NodeIdentitySource identity, string advertised, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        DataKeys dataKeys = keys.Read().DataKeys;
        if (dataKeys.Current is null)
        {
            dataKeys = DataKeys.Generate();
            keys.WriteDataKeys(dataKeys);
        }
        (ulong member, bool founds) = TakePart(options, state, identity.Current.NodeId);
        var how = new DurableStoreOptions
        {
            StateDirectory = options.StateDirectory,
            MemberId = member,
            Founds = founds,
            Address = advertised,
            DataKey = dataKeys.Writing,
            OlderDataKeys = dataKeys.Older,
            Dial = async (other, token) => await DialAsync(identity, member, other.Id, other.Address, token).ConfigureAwait(false),
            Time = time,
            LoggerFactory = logs,
        };
        try
        {
            return await OpenOnceThereIsRoomAsync(
                how, store => CoordinationHost.OpenAsync(options, identity, store, time, logs, ct), logs.CreateLogger<ManagerHost>(), time, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RaftLogException or InvalidOperationException)
        {
            throw new NodeStartException($"the log in {options.StateDirectory} cannot be opened: {e.Message}", e);
        }
    }

    // As one that runs into a full disk does: what starts it again and again otherwise would find the same.
    private static async Task<(DurableStore Store, CoordinationHost Coordination)> OpenOnceThereIsRoomAsync(
        DurableStoreOptions how, Func<DurableStore, Task<CoordinationHost>> openFurther, ILogger logger, TimeProvider time, CancellationToken ct)
    {
        for (bool said = false; ; said = true)
        {
            DurableStore? store = null;
            try
            {
                store = await DurableStore.OpenAsync(how, ct).ConfigureAwait(false);
                return (store, await openFurther(store).ConfigureAwait(false));
            }
            catch (Exception e)
            {
                if (store is not null)
                {
                    await store.DisposeAsync().ConfigureAwait(false);
                }
                if (e is not LogFullException)
                {
                    throw;
                }
                if (!said)
                {
                    LogNoRoom(logger, how.StateDirectory, e.InnerException?.Message ?? e.Message);
                }
            }
            await Task.Delay(RoomPause, time, ct).ConfigureAwait(false);
        }
    }

    // A founder still has the root's key; a log without the file is one that was begun before there was the file, by a founder. The
    // file without a log says nothing: a member that comes back without its log is another member.
    private static (ulong Member, bool Founds) TakePart(NodeOptions options, StateDirectory state, string nodeId)
    {
        bool hasLog = RaftRecovery.HasLog(DurableStore.FolderOf(state.Root));
        ulong? known = MemberFile.Read(state, nodeId);
        if (hasLog && known is { } member)
        {
            return (member, member == MemberIds.OfFounder(nodeId));
        }
        bool founds = hasLog || ClusterFounding.IsUnderWay(state);
        if (!founds && known is not null && options.JoinAddress is null && KnownManagers.Load(state).All(m => m.NodeId == nodeId))
        {
            throw new NodeStartException($"the log in {DurableStore.FolderOf(state.Root)} is gone, and no other manager is known that has a copy: restore a backup into an empty directory with --restore FILE");
        }
        ulong begun = founds ? MemberIds.OfFounder(nodeId) : MemberIds.OfJoiner(nodeId, Random.Shared);
        MemberFile.Write(state, begun);
        return (begun, founds);
    }

    private static async Task RenewOwnCertificateAsync(DurableStore store, NodeKeyFile keys, NodeIdentitySource identity, TimeProvider time, CancellationToken ct)
    {
        if (identity.Current.Certificate.NotAfter.ToUniversalTime() > time.GetUtcNow())
        {
            return;
        }

        // Nobody speaks with an expired certificate, so what is needed to renew it must be here.
        ulong committed = store.Members.View.CommitIndex;
        await store.Members.WaitForAsync(v => v.AppliedIndex >= committed, ct).ConfigureAwait(false);
        OwnCertificate.RenewIfOver(store.Store, keys, identity, time);
    }

    private static async Task<Stream> DialAsync(NodeIdentitySource identity, ulong self, ulong member, string address, CancellationToken ct)
    {
        (Stream stream, string nodeId) = await ConsensusStream.DialAsync(identity, self, address, ct).ConfigureAwait(false);
        if (MemberIds.IsOf(member, nodeId))
        {
            return stream;
        }
        await stream.DisposeAsync().ConfigureAwait(false);
        throw new IOException($"node {nodeId} answers at {address}, and not the manager {member:x}");
    }

    private static async Task ReachAsync(NodeIdentitySource identity, ulong self, ulong member, string address, CancellationToken ct) =>
        await (await DialAsync(identity, self, member, address, ct).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);

    // Round the managers that are known; this one's own address last, which leads to the leader once one is known here.
    private static string PickManager(StateDirectory state, NodeOptions options, string nodeId, string fromHere, int turn)
    {
        List<string> others = [.. KnownManagers.Load(state).Where(m => m.NodeId != nodeId).Select(static m => m.Address)];
        if (options.JoinAddress is { } join)
        {
            others.Add(join);
        }
        others.Add(fromHere);
        return others[turn % others.Count];
    }

    private static string NameOf(DurableStore store, ulong member) => store.Store.Read(view =>
        view.List<Docker.Swarmkit.V1.Node>().FirstOrDefault(n => MemberIds.IsOf(member, n.Id)) is { } node
            ? node.Description?.Hostname is { Length: > 0 } name ? name : node.Id
            : member.ToString("x", System.Globalization.CultureInfo.InvariantCulture));

    private static FoundingSettings Settings(NodeOptions options) =>
        options.Autolock ? new() { UnlockKey = Skep.Identity.Tokens.UnlockKey.Generate() } : new();

    private static void Add(IServiceCollection services, ManagerParts parts)
    {
        services.AddSingleton(parts.Authority);
        services.AddSingleton(parts.NodeCertificates);
        services.AddSingleton(parts.Control);
        services.AddSingleton(parts.Why);
        services.AddSingleton(parts.Dispatcher);
        services.AddSingleton(parts.LogBroker);
        services.AddSingleton(parts.Logs);
        services.AddSingleton(parts.Watch);
        services.AddSingleton(parts.Attachments);
        services.AddSingleton(parts.Health);
        services.AddSingleton(parts.Membership);
        services.AddSingleton(parts.Managers);
    }

    private static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<CertificateAuthorityService>();
        routes.MapGrpcService<NodeCertificateService>();
        routes.MapGrpcService<ControlService>();
        routes.MapGrpcService<Skep.Manager.Why.WhyExplainer>();
        routes.MapGrpcService<Skep.Manager.Dispatch.DispatcherService>();
        routes.MapGrpcService<Skep.Manager.Logs.LogBrokerService>();
        routes.MapGrpcService<Skep.Manager.Logs.LogsService>();
        routes.MapGrpcService<Skep.Manager.Watch.WatchService>();
        routes.MapGrpcService<Skep.Manager.Attachments.ResourceAllocatorService>();
        routes.MapGrpcService<Skep.Manager.Health.HealthService>();
        routes.MapGrpcService<RaftMembershipService>();
        routes.MapGrpcService<ManagersService>();
    }

    [LoggerMessage(EventId = 2223, Level = LogLevel.Error, Message = "The disk of {Folder} is full, and a manager's log needs room to be opened; this manager waits until there is some: {Reason}")]
    private static partial void LogNoRoom(ILogger logger, string folder, string reason);
}

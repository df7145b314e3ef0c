using System.Diagnostics.Metrics;
using System.Net;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
using Skep.Node.Listeners;
using Skep.Node.Metrics;
using Skep.Raft;
using Skep.Store.Durability;

namespace Skep.Node.Managers;

/// <summary>The manager of this node: its store opened, its loops running, its listeners up.</summary>
internal sealed class ManagerHost : IAsyncDisposable
{
    private readonly DurableStore store;
    private readonly ManagerParts parts;
    private readonly ManagerServer server;
    private readonly Meter meter;

    private ManagerHost(DurableStore store, ManagerParts parts, ManagerServer server, string addressFromHere)
    {
        this.store = store;
        this.parts = parts;
        this.server = server;
        meter = NodeMetrics.OfManager(store);
        AddressFromHere = addressFromHere;
    }

    /// <summary>Where this machine reaches the manager's remote port.</summary>
    public string AddressFromHere { get; }

    /// <summary>Fails when the log does; the process must stop then.</summary>
    public Task Failure => store.Completion;

    /// <exception cref="NodeStartException">The log or an address is in the way.</exception>
    public static async Task<ManagerHost> StartAsync(
        NodeOptions options, StateDirectory state, NodeKeyFile keys, NodeIdentitySource identity, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        IPEndPoint remote = ListenAddress.Parse(options.RemoteApi, "--listen-remote-api");
        string fromHere = ListenAddress.FromHere(remote);
        string advertised = options.AdvertisedRemoteApi ?? LocalAddress.Advertise(remote);
        DurableStore store = await OpenStoreAsync(options, keys, identity, advertised, logs, time, ct).ConfigureAwait(false);
        try
        {
            await ClusterFounding.CompleteAsync(store.Store, state, identity.Current, Settings(options), ct).ConfigureAwait(false);
            OwnCertificate.RenewIfOver(store.Store, keys, identity, time);
            var streams = new ActiveStreams();
            var parts = new ManagerParts(
                store.Store,
                identity,
                keys,
                streams,
                new SingleManager(identity.Current.NodeId, store.MemberId, () => advertised),
                new ManagerAddresses(() => advertised, context => options.AdvertisedRemoteApi ?? LocalAddress.Of(context, fromHere)),
                time,
                new Random(),
                logs);
            var authorization = new AuthorizingInterceptor(
                identity,
                () => store.Store.Read(ClusterObject.Find) is { } cluster ? ClusterMembership.Of(cluster) : new ClusterMembership(identity.Current.ClusterId, static _ => false),
                streams);
            ManagerServer server = await ManagerServer.StartAsync(
                options, remote, new ServerTls(identity), authorization, services => Add(services, parts), Map, logs, time).ConfigureAwait(false);
            parts.Start();
            return new ManagerHost(store, parts, server, fromHere);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Callers first, then what decides, then what keeps.
        meter.Dispose();
        await server.DisposeAsync().ConfigureAwait(false);
        await parts.DisposeAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<DurableStore> OpenStoreAsync(
        NodeOptions options, NodeKeyFile keys, NodeIdentitySource identity, string advertised, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        DataKeys dataKeys = keys.Read().DataKeys;
        if (dataKeys.Current is null)
        {
            dataKeys = DataKeys.Generate();
            keys.WriteDataKeys(dataKeys);
        }
        try
        {
            return await DurableStore.OpenAsync(
                new DurableStoreOptions
                {
                    StateDirectory = options.StateDirectory,
                    NodeId = identity.Current.NodeId,
                    Address = advertised,
                    DataKey = dataKeys.Current,
                    Time = time,
                    LoggerFactory = logs,
                },
                ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RaftLogException or InvalidOperationException)
        {
            throw new NodeStartException($"the log in {options.StateDirectory} cannot be opened: {e.Message}", e);
        }
    }

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
    }
}

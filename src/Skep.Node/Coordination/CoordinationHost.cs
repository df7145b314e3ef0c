using System.Net;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Coordination;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Tls;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Node.Coordination;

/// <summary>This manager's part in coordination: a group beside the store's in the same log, whether or not clients are served here.</summary>
internal sealed partial class CoordinationHost : IAsyncDisposable
{
    private readonly NodeOptions options;
    private readonly CoordinationOptions how;
    private readonly CoordinationService service;
    private readonly ILogger logger;

    private CoordinationHost(NodeOptions options, CoordinationOptions how, CoordinationService service, ReplicaGroup group, StoreMembers members, ILogger logger)
    {
        (this.options, this.how, this.service, Group, Members, this.logger) = (options, how, service, group, members, logger);
    }

    /// <summary>What it agrees by; closed with the store.</summary>
    public ReplicaGroup Group { get; }

    /// <summary>Who agrees.</summary>
    public StoreMembers Members { get; }

    /// <summary>The parts that fail when it cannot go on.</summary>
    public IEnumerable<Task> Parts => [Group.Completion];

    /// <exception cref="NodeStartException">A flag is wrong, or what the log holds of it cannot be read.</exception>
    /// <exception cref="LogFullException">There is no room to begin.</exception>
    public static async Task<CoordinationHost> OpenAsync(
        NodeOptions options, NodeIdentitySource identity, DurableStore store, TimeProvider time, ILoggerFactory logs, CancellationToken ct)
    {
        CoordinationOptions how = CoordinationFlags.Read(options, store.MemberId, new ServerTls(identity));
        if (options.CoordinationTls)
        {
            // A manager that has left keeps its certificate for a while, and no rights with it.
            how = how with { IsSuperuser = shown => NodeSubject.Of(shown) is { Role: NodeRole.Manager } subject && store.Members.View.OfNode(subject.NodeId) is not null };
        }
        var service = new CoordinationService(how, time, logs);
        try
        {
            (ReplicaGroup group, StoreMembers members) = await store.OpenGroupAsync(service.GroupOptions, service.Machine, ct).ConfigureAwait(false);
            return new CoordinationHost(options, how, service, group, members, logs.CreateLogger<CoordinationHost>());
        }
        catch (Exception e)
        {
            await service.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException or LogFullException)
            {
                throw;
            }
            throw new NodeStartException($"the coordination's part of the log in {options.StateDirectory} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Serves clients, where they are to be served.</summary>
    /// <exception cref="NodeStartException">The address is taken, or the audit log cannot be written to.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        try
        {
            await service.StartAsync(Group, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"--coordination-audit {options.CoordinationAudit}: {e.Message}", e);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new NodeStartException($"--coordination {options.Coordination}: {e.Message}; choose another port, or stop what listens there", e);
        }
        if (how is { Listen: { } listen, Tls: null, AllowPasswordsInClear: true })
        {
            LogInsecure(logger, listen);
        }
    }

    /// <summary>Ends the service; the group goes on until the store is closed.</summary>
    public ValueTask DisposeAsync() => service.DisposeAsync();

    [LoggerMessage(EventId = 2401, Level = LogLevel.Warning, Message = "--coordination-insecure: clients are served on {Address} without TLS, and their passwords and data can be read on the way")]
    private static partial void LogInsecure(ILogger logger, IPEndPoint address);
}

using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Control.Services;
using Skep.Store;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override Task<GetNetworkResponse> GetNetwork(GetNetworkRequest request, ServerCallContext context)
    {
        if (request.NetworkId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        return Task.FromResult(new GetNetworkResponse
        {
            Network = store.Read(view => view.Get<Network>(request.NetworkId)) ?? throw NetworkNotFound(request.NetworkId),
        });
    }

    /// <inheritdoc/>
    public override Task<ListNetworksResponse> ListNetworks(ListNetworksRequest request, ServerCallContext context)
    {
        ListNetworksRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListNetworksResponse
        {
            Networks =
            {
                List<Network>(n =>
                    Matching.OneOf(n.Spec?.Annotations?.Name ?? "", f?.Names)
                    && Matching.StartsWithOneOf(n.Spec?.Annotations?.Name ?? "", f?.NamePrefixes)
                    && Matching.StartsWithOneOf(n.Id, f?.IdPrefixes)
                    && Matching.HasLabels(n.Spec?.Annotations?.Labels, f?.Labels)),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<CreateNetworkResponse> CreateNetwork(CreateNetworkRequest request, ServerCallContext context)
    {
        NetworkRules.Check(request.Spec);
        var network = new Network { Id = Ids.New(), Spec = request.Spec.Clone() };
        await WriteAsync(
            tx =>
            {
                if (request.Spec.Ingress && tx.List<Network>().FirstOrDefault(IngressNetwork.Is) is { } present)
                {
                    throw Refusal.Exists($"ingress network ({present.Id}) is already present");
                }
                if (tx.ByName<Network>(request.Spec.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"name conflicts with an existing object: network {request.Spec.Annotations.Name} already exists");
                }
                tx.Create(network);
            },
            context).ConfigureAwait(false);
        LogChange("network", network.Spec.Annotations.Name, network.Id, "created");
        return new CreateNetworkResponse { Network = network };
    }

    /// <inheritdoc/>
    public override async Task<RemoveNetworkResponse> RemoveNetwork(RemoveNetworkRequest request, ServerCallContext context)
    {
        if (request.NetworkId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        await WriteAsync(
            tx =>
            {
                Network network = tx.Get<Network>(request.NetworkId) ?? throw NetworkNotFound(request.NetworkId);
                CheckRemoval(tx, network);
                tx.Remove<Network>(network.Id);
            },
            context).ConfigureAwait(false);
        LogChange("network", request.NetworkId, request.NetworkId, "removed");
        return new RemoveNetworkResponse();
    }

    private static RpcException NetworkNotFound(string id) => Refusal.NotFound($"network {id} not found");

    private static void CheckRemoval(WriteTransaction view, Network network)
    {
        if (network.Spec?.Annotations?.Labels.GetValueOrDefault(NetworkRules.PredefinedLabel) == "true")
        {
            throw Refusal.Precondition($"network {network.Id} ({network.Spec.Annotations.Name}) is a swarm predefined network and cannot be removed");
        }
        if (IngressNetwork.Is(network))
        {
            if (view.List<Service>().FirstOrDefault(IngressNetwork.IsNeededBy) is { } dependent)
            {
                throw Refusal.Precondition($"ingress network cannot be removed because service {dependent.Id} depends on it");
            }
            return;
        }
        if (view.List<Service>().FirstOrDefault(s => ServiceReferences.NetworksOf(s.Spec).Any(n => n.Target == network.Id)) is { } user)
        {
            throw Refusal.Precondition($"network {network.Id} is in use by service {user.Id}");
        }
        SwarmTask? task = view.List<SwarmTask>().FirstOrDefault(t =>
            t.DesiredState <= TaskState.Running
            && (t.Status?.State ?? TaskState.New) <= TaskState.Running
            && (t.Networks.Any(a => a.Network?.Id == network.Id) || (t.Spec?.Networks.Any(n => n.Target == network.Id) ?? false)));
        if (task is not null)
        {
            throw Refusal.Precondition($"network {network.Id} is in use by task {task.Id}");
        }
    }
}

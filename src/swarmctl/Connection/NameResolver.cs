using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>Names for ids, asked for once each. What has no name, or is gone, keeps its id.</summary>
internal sealed class NameResolver(Control.ControlClient control, bool keepIds)
{
    private readonly Dictionary<string, string> known = [];

    public bool KeepsIds => keepIds;

    public Task<string> NodeAsync(string id, CancellationToken ct) => ResolveAsync(id, async () =>
    {
        Node node = (await control.GetNodeAsync(new GetNodeRequest { NodeId = id }, cancellationToken: ct).ConfigureAwait(false)).Node;
        return node.Spec?.Annotations?.Name is { Length: > 0 } name ? name : node.Description?.Hostname;
    });

    public Task<string> ServiceAsync(string id, CancellationToken ct) => ResolveAsync(id, async () =>
        (await control.GetServiceAsync(new GetServiceRequest { ServiceId = id }, cancellationToken: ct).ConfigureAwait(false)).Service.Spec?.Annotations?.Name);

    public Task<string> TaskAsync(string id, CancellationToken ct) => ResolveAsync(id, async () =>
    {
        SwarmTask task = (await control.GetTaskAsync(new GetTaskRequest { TaskId = id }, cancellationToken: ct).ConfigureAwait(false)).Task;
        return $"{task.ServiceAnnotations?.Name}.{(task.Slot == 0 ? task.NodeId : task.Slot)}";
    });

    /// <summary>Asks for every node at once, for lists with many.</summary>
    public async Task LearnNodesAsync(CancellationToken ct)
    {
        if (keepIds)
        {
            return;
        }
        foreach (Node node in (await control.ListNodesAsync(new ListNodesRequest(), cancellationToken: ct).ConfigureAwait(false)).Nodes)
        {
            known[node.Id] = node.Spec?.Annotations?.Name is { Length: > 0 } name ? name : node.Description?.Hostname is { Length: > 0 } host ? host : node.Id;
        }
    }

    private async Task<string> ResolveAsync(string id, Func<Task<string?>> ask)
    {
        if (keepIds || id.Length == 0)
        {
            return id;
        }
        if (!known.TryGetValue(id, out string? name))
        {
            try
            {
                name = await ask().ConfigureAwait(false) is { Length: > 0 } found ? found : id;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
            {
                name = id;
            }
            known[id] = name;
        }
        return name;
    }
}

using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace Swarmctl.Tests.Support;

/// <summary>The control API over plain lists. It keeps every change asked of it, and can refuse the next ones.</summary>
public sealed class FakeControl : Control.ControlBase
{
    private int _staleAnswers;
    private int _lostAnswers;

    public List<Cluster> Clusters { get; } = [];

    public List<Node> Nodes { get; } = [];

    public List<Service> Services { get; } = [];

    public List<SwarmTask> Tasks { get; } = [];

    public List<Network> Networks { get; } = [];

    public List<Secret> Secrets { get; } = [];

    public List<Config> Configs { get; } = [];

    /// <summary>Every request that would change something, in order.</summary>
    public List<IMessage> Changes { get; } = [];

    /// <summary>Runs when a service's tasks are asked for: where a test lets time go on.</summary>
    public Action? OnListTasks { get; set; }

    /// <summary>The next updates meet a version that somebody else has changed.</summary>
    public void AnswerStale(int times) => _staleAnswers = times;

    /// <summary>What became of the update whose answer was lost.</summary>
    public Action? OnLostAnswer { get; set; }

    /// <summary>The leader goes away before it answers the next update.</summary>
    public void LoseAnswer() => _lostAnswers = 1;

    private Task<T> Change<T>(IMessage request, T answer)
    {
        Changes.Add(request);
        if (_lostAnswers-- > 0)
        {
            OnLostAnswer?.Invoke();
            throw new RpcException(new Status(StatusCode.Unavailable, "whether the command was taken is not known"));
        }
        return _staleAnswers-- > 0
            ? throw new RpcException(new Status(StatusCode.Unknown, "rpc error: code = Unknown desc = update out of sequence"))
            : Task.FromResult(answer);
    }

    private static T Find<T>(List<T> all, Func<T, string> idOf, string what, string id) =>
        all.Find(x => idOf(x) == id) ?? throw new RpcException(new Status(StatusCode.NotFound, $"{what} {id} not found"));

    private static IEnumerable<T> Filter<T>(IEnumerable<T> all, Func<T, string> idOf, Func<T, string?> nameOf, RepeatedField<string>? prefixes, RepeatedField<string>? names) => all
        .Where(x => prefixes is not { Count: > 0 } || prefixes.Any(p => idOf(x).StartsWith(p, StringComparison.Ordinal)))
        .Where(x => names is not { Count: > 0 } || names.Contains(nameOf(x) ?? ""))
        .OrderBy(idOf, StringComparer.Ordinal);

    public override Task<GetClusterResponse> GetCluster(GetClusterRequest request, ServerCallContext context) => Task.FromResult(new GetClusterResponse { Cluster = Find(Clusters, x => x.Id, "cluster", request.ClusterId) });

    public override Task<ListClustersResponse> ListClusters(ListClustersRequest request, ServerCallContext context) =>
        Task.FromResult(new ListClustersResponse { Clusters = { Filter(Clusters, x => x.Id, x => x.Spec.Annotations.Name, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<UpdateClusterResponse> UpdateCluster(UpdateClusterRequest request, ServerCallContext context) =>
        Change(request, new UpdateClusterResponse { Cluster = Find(Clusters, x => x.Id, "cluster", request.ClusterId) });

    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context) => Task.FromResult(new GetNodeResponse { Node = Find(Nodes, x => x.Id, "node", request.NodeId) });

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNodesResponse { Nodes = { Filter(Nodes, x => x.Id, x => x.Description?.Hostname, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<UpdateNodeResponse> UpdateNode(UpdateNodeRequest request, ServerCallContext context)
    {
        Task<UpdateNodeResponse> answer = Change(request, new UpdateNodeResponse());
        Find(Nodes, x => x.Id, "node", request.NodeId).Spec = request.Spec;
        return answer;
    }

    public override Task<RemoveNodeResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context) => Change(request, new RemoveNodeResponse());

    public override Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context) => Task.FromResult(new GetTaskResponse { Task = Find(Tasks, x => x.Id, "task", request.TaskId) });

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        var answer = new ListTasksResponse
        {
            Tasks =
            {
                Filter(Tasks, x => x.Id, x => $"{x.ServiceAnnotations?.Name}.{x.Slot}", request.Filters?.IdPrefixes, request.Filters?.Names)
                    .Where(x => request.Filters?.ServiceIds is not { Count: > 0 } ids || ids.Contains(x.ServiceId))
                    .Where(x => request.Filters?.NodeIds is not { Count: > 0 } ids || ids.Contains(x.NodeId))
                    .Select(x => x.Clone()),
            },
        };
        OnListTasks?.Invoke();
        return Task.FromResult(answer);
    }

    public override Task<RemoveTaskResponse> RemoveTask(RemoveTaskRequest request, ServerCallContext context) => Change(request, new RemoveTaskResponse());

    public override Task<GetServiceResponse> GetService(GetServiceRequest request, ServerCallContext context) => Task.FromResult(new GetServiceResponse { Service = Find(Services, x => x.Id, "service", request.ServiceId) });

    public override Task<ListServicesResponse> ListServices(ListServicesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListServicesResponse { Services = { Filter(Services, x => x.Id, x => x.Spec.Annotations.Name, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<CreateServiceResponse> CreateService(CreateServiceRequest request, ServerCallContext context) =>
        Change(request, new CreateServiceResponse { Service = new Service { Id = RedisCluster.ServiceId, Spec = request.Spec } });

    public override Task<UpdateServiceResponse> UpdateService(UpdateServiceRequest request, ServerCallContext context) =>
        Change(request, new UpdateServiceResponse { Service = new Service { Id = request.ServiceId, Spec = request.Spec } });

    public override Task<RemoveServiceResponse> RemoveService(RemoveServiceRequest request, ServerCallContext context) => Change(request, new RemoveServiceResponse());

    public override Task<GetNetworkResponse> GetNetwork(GetNetworkRequest request, ServerCallContext context) => Task.FromResult(new GetNetworkResponse { Network = Find(Networks, x => x.Id, "network", request.NetworkId) });

    public override Task<ListNetworksResponse> ListNetworks(ListNetworksRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNetworksResponse { Networks = { Filter(Networks, x => x.Id, x => x.Spec.Annotations.Name, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<CreateNetworkResponse> CreateNetwork(CreateNetworkRequest request, ServerCallContext context) =>
        Change(request, new CreateNetworkResponse { Network = new Network { Id = "new-network", Spec = request.Spec } });

    public override Task<RemoveNetworkResponse> RemoveNetwork(RemoveNetworkRequest request, ServerCallContext context) => Change(request, new RemoveNetworkResponse());

    public override Task<GetSecretResponse> GetSecret(GetSecretRequest request, ServerCallContext context) => Task.FromResult(new GetSecretResponse { Secret = Find(Secrets, x => x.Id, "secret", request.SecretId) });

    public override Task<ListSecretsResponse> ListSecrets(ListSecretsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListSecretsResponse { Secrets = { Filter(Secrets, x => x.Id, x => x.Spec.Annotations.Name, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<CreateSecretResponse> CreateSecret(CreateSecretRequest request, ServerCallContext context) =>
        Change(request, new CreateSecretResponse { Secret = new Secret { Id = "new-secret", Spec = request.Spec } });

    public override Task<RemoveSecretResponse> RemoveSecret(RemoveSecretRequest request, ServerCallContext context) => Change(request, new RemoveSecretResponse());

    public override Task<GetConfigResponse> GetConfig(GetConfigRequest request, ServerCallContext context) => Task.FromResult(new GetConfigResponse { Config = Find(Configs, x => x.Id, "config", request.ConfigId) });

    public override Task<ListConfigsResponse> ListConfigs(ListConfigsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListConfigsResponse { Configs = { Filter(Configs, x => x.Id, x => x.Spec.Annotations.Name, request.Filters?.IdPrefixes, request.Filters?.Names) } });

    public override Task<CreateConfigResponse> CreateConfig(CreateConfigRequest request, ServerCallContext context) =>
        Change(request, new CreateConfigResponse { Config = new Config { Id = "new-config", Spec = request.Spec } });

    public override Task<RemoveConfigResponse> RemoveConfig(RemoveConfigRequest request, ServerCallContext context) => Change(request, new RemoveConfigResponse());
}

using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace Swarmctl.Tests.Support;

/// <summary>The control API over plain lists. It keeps every change asked of it, and can refuse the next ones.</summary>
public sealed class FakeControl : Control.ControlBase
{
    private int _staleAnswers;

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

    private Task<T> Change<T>(IMessage request, T answer)
    {
        Changes.Add(request);
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

    public override Task<GetClusterResponse> GetCluster(GetClusterRequest r, ServerCallContext c) => Task.FromResult(new GetClusterResponse { Cluster = Find(Clusters, x => x.Id, "cluster", r.ClusterId) });

    public override Task<ListClustersResponse> ListClusters(ListClustersRequest r, ServerCallContext c) =>
        Task.FromResult(new ListClustersResponse { Clusters = { Filter(Clusters, x => x.Id, x => x.Spec.Annotations.Name, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<UpdateClusterResponse> UpdateCluster(UpdateClusterRequest r, ServerCallContext c) =>
        Change(r, new UpdateClusterResponse { Cluster = Find(Clusters, x => x.Id, "cluster", r.ClusterId) });

    public override Task<GetNodeResponse> GetNode(GetNodeRequest r, ServerCallContext c) => Task.FromResult(new GetNodeResponse { Node = Find(Nodes, x => x.Id, "node", r.NodeId) });

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest r, ServerCallContext c) =>
        Task.FromResult(new ListNodesResponse { Nodes = { Filter(Nodes, x => x.Id, x => x.Description?.Hostname, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<UpdateNodeResponse> UpdateNode(UpdateNodeRequest r, ServerCallContext c)
    {
        Task<UpdateNodeResponse> answer = Change(r, new UpdateNodeResponse());
        Find(Nodes, x => x.Id, "node", r.NodeId).Spec = r.Spec;
        return answer;
    }

    public override Task<RemoveNodeResponse> RemoveNode(RemoveNodeRequest r, ServerCallContext c) => Change(r, new RemoveNodeResponse());

    public override Task<GetTaskResponse> GetTask(GetTaskRequest r, ServerCallContext c) => Task.FromResult(new GetTaskResponse { Task = Find(Tasks, x => x.Id, "task", r.TaskId) });

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest r, ServerCallContext c)
    {
        var answer = new ListTasksResponse
        {
            Tasks =
            {
                Filter(Tasks, x => x.Id, x => $"{x.ServiceAnnotations?.Name}.{x.Slot}", r.Filters?.IdPrefixes, r.Filters?.Names)
                    .Where(x => r.Filters?.ServiceIds is not { Count: > 0 } ids || ids.Contains(x.ServiceId))
                    .Where(x => r.Filters?.NodeIds is not { Count: > 0 } ids || ids.Contains(x.NodeId))
                    .Select(x => x.Clone()),
            },
        };
        OnListTasks?.Invoke();
        return Task.FromResult(answer);
    }

    public override Task<RemoveTaskResponse> RemoveTask(RemoveTaskRequest r, ServerCallContext c) => Change(r, new RemoveTaskResponse());

    public override Task<GetServiceResponse> GetService(GetServiceRequest r, ServerCallContext c) => Task.FromResult(new GetServiceResponse { Service = Find(Services, x => x.Id, "service", r.ServiceId) });

    public override Task<ListServicesResponse> ListServices(ListServicesRequest r, ServerCallContext c) =>
        Task.FromResult(new ListServicesResponse { Services = { Filter(Services, x => x.Id, x => x.Spec.Annotations.Name, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<CreateServiceResponse> CreateService(CreateServiceRequest r, ServerCallContext c) =>
        Change(r, new CreateServiceResponse { Service = new Service { Id = RedisCluster.ServiceId, Spec = r.Spec } });

    public override Task<UpdateServiceResponse> UpdateService(UpdateServiceRequest r, ServerCallContext c) =>
        Change(r, new UpdateServiceResponse { Service = new Service { Id = r.ServiceId, Spec = r.Spec } });

    public override Task<RemoveServiceResponse> RemoveService(RemoveServiceRequest r, ServerCallContext c) => Change(r, new RemoveServiceResponse());

    public override Task<GetNetworkResponse> GetNetwork(GetNetworkRequest r, ServerCallContext c) => Task.FromResult(new GetNetworkResponse { Network = Find(Networks, x => x.Id, "network", r.NetworkId) });

    public override Task<ListNetworksResponse> ListNetworks(ListNetworksRequest r, ServerCallContext c) =>
        Task.FromResult(new ListNetworksResponse { Networks = { Filter(Networks, x => x.Id, x => x.Spec.Annotations.Name, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<CreateNetworkResponse> CreateNetwork(CreateNetworkRequest r, ServerCallContext c) =>
        Change(r, new CreateNetworkResponse { Network = new Network { Id = "new-network", Spec = r.Spec } });

    public override Task<RemoveNetworkResponse> RemoveNetwork(RemoveNetworkRequest r, ServerCallContext c) => Change(r, new RemoveNetworkResponse());

    public override Task<GetSecretResponse> GetSecret(GetSecretRequest r, ServerCallContext c) => Task.FromResult(new GetSecretResponse { Secret = Find(Secrets, x => x.Id, "secret", r.SecretId) });

    public override Task<ListSecretsResponse> ListSecrets(ListSecretsRequest r, ServerCallContext c) =>
        Task.FromResult(new ListSecretsResponse { Secrets = { Filter(Secrets, x => x.Id, x => x.Spec.Annotations.Name, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<CreateSecretResponse> CreateSecret(CreateSecretRequest r, ServerCallContext c) =>
        Change(r, new CreateSecretResponse { Secret = new Secret { Id = "new-secret", Spec = r.Spec } });

    public override Task<RemoveSecretResponse> RemoveSecret(RemoveSecretRequest r, ServerCallContext c) => Change(r, new RemoveSecretResponse());

    public override Task<GetConfigResponse> GetConfig(GetConfigRequest r, ServerCallContext c) => Task.FromResult(new GetConfigResponse { Config = Find(Configs, x => x.Id, "config", r.ConfigId) });

    public override Task<ListConfigsResponse> ListConfigs(ListConfigsRequest r, ServerCallContext c) =>
        Task.FromResult(new ListConfigsResponse { Configs = { Filter(Configs, x => x.Id, x => x.Spec.Annotations.Name, r.Filters?.IdPrefixes, r.Filters?.Names) } });

    public override Task<CreateConfigResponse> CreateConfig(CreateConfigRequest r, ServerCallContext c) =>
        Change(r, new CreateConfigResponse { Config = new Config { Id = "new-config", Spec = r.Spec } });

    public override Task<RemoveConfigResponse> RemoveConfig(RemoveConfigRequest r, ServerCallContext c) => Change(r, new RemoveConfigResponse());
}

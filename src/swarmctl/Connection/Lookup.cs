using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>Finds an object by what the user called it: its whole id, else its name, else the beginning of its id.</summary>
internal static class Lookup
{
    public static Task<Cluster> ClusterAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "cluster", input,
        async () => (await s.Control.GetClusterAsync(new() { ClusterId = input }, cancellationToken: ct).ConfigureAwait(false)).Cluster,
        async () => (await s.Control.ListClustersAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Clusters,
        async () => (await s.Control.ListClustersAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Clusters);

    public static Task<Node> NodeAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "node", input,
        async () => (await s.Control.GetNodeAsync(new() { NodeId = input }, cancellationToken: ct).ConfigureAwait(false)).Node,
        async () => (await s.Control.ListNodesAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Nodes,
        async () => (await s.Control.ListNodesAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Nodes);

    public static Task<Service> ServiceAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "service", input,
        async () => (await s.Control.GetServiceAsync(new() { ServiceId = input }, cancellationToken: ct).ConfigureAwait(false)).Service,
        async () => (await s.Control.ListServicesAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Services,
        async () => (await s.Control.ListServicesAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Services);

    public static Task<Network> NetworkAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "network", input,
        async () => (await s.Control.GetNetworkAsync(new() { NetworkId = input }, cancellationToken: ct).ConfigureAwait(false)).Network,
        async () => (await s.Control.ListNetworksAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Networks,
        async () => (await s.Control.ListNetworksAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Networks);

    public static Task<Secret> SecretAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "secret", input,
        async () => (await s.Control.GetSecretAsync(new() { SecretId = input }, cancellationToken: ct).ConfigureAwait(false)).Secret,
        async () => (await s.Control.ListSecretsAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Secrets,
        async () => (await s.Control.ListSecretsAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Secrets);

    public static Task<Config> ConfigAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "config", input,
        async () => (await s.Control.GetConfigAsync(new() { ConfigId = input }, cancellationToken: ct).ConfigureAwait(false)).Config,
        async () => (await s.Control.ListConfigsAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Configs,
        async () => (await s.Control.ListConfigsAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Configs);

    public static Task<SwarmTask> TaskAsync(this Session s, string input, CancellationToken ct) => FindAsync(
        "task", input,
        async () => (await s.Control.GetTaskAsync(new() { TaskId = input }, cancellationToken: ct).ConfigureAwait(false)).Task,
        async () => (await s.Control.ListTasksAsync(new() { Filters = new() { IdPrefixes = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks,
        async () => (await s.Control.ListTasksAsync(new() { Filters = new() { Names = { input } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks);

    private static async Task<T> FindAsync<T, TList>(
        string what, string input, Func<Task<T>> byId, Func<Task<TList>> byName, Func<Task<TList>> byPrefix)
        where TList : IList<T>
    {
        if (input.Length == 0)
        {
            throw new UserException($"{what} name or ID is empty");
        }
        try
        {
            return await byId().ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            // It is a name then, or the beginning of an id.
        }
        TList found = await byName().ConfigureAwait(false);
        found = found.Count == 0 ? await byPrefix().ConfigureAwait(false) : found;
        return found.Count switch
        {
            1 => found[0],
            0 => throw new UserException($"{what} {input} not found"),
            _ => throw new UserException($"{what} {input} is ambiguous ({found.Count} matches found)"),
        };
    }
}

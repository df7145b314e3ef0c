using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Api;
using Skep.Identity.Certificates;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Store;

namespace Skep.Manager.Tests.Control;

/// <summary>A cluster with its control API, its first manager and nothing else.</summary>
internal sealed class ControlCluster : IManagerMembers, IDisposable
{
    public const string ManagerId = "manager00000000000000000a";

    public ControlCluster()
    {
        Root = RootCa.Create(Time);
        Store = new(Time);
        Api = new(Store, this, Time, NullLogger<ControlService>.Instance);
        Add(FirstCluster.Create("cluster000000000000000000", Root, new()));
        Add(FirstCluster.CreateManager(ManagerId, new()));
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    public RootCa Root { get; }

    public ClusterStore Store { get; }

    public ControlService Api { get; }

    /// <summary>The members of the group of managers, and whether the others can do without them.</summary>
    public Dictionary<string, bool> Members { get; } = new() { [ManagerId] = false };

    /// <summary>Why no further manager can take part.</summary>
    public string? FullReason { get; set; }

    public Cluster Cluster => Store.Read(ClusterObject.Find)!;

    public static ServiceSpec ServiceSpec(string name = "web", ulong replicas = 1) => new()
    {
        Annotations = new() { Name = name },
        Task = new() { Container = new() { Image = "redis:3.0.5" } },
        Replicated = new() { Replicas = replicas },
    };

    public void Add<T>(T o)
        where T : class, IStoreObject => Store.UpdateAsync(tx => tx.Create(o)).Wait(TimeSpan.FromSeconds(5));

    public void Change<T>(string id, Action<T> change)
        where T : class, IStoreObject => Store.UpdateAsync(tx =>
        {
            var copy = (T)tx.Get<T>(id)!.Copy();
            change(copy);
            tx.Update(copy);
        }).Wait(TimeSpan.FromSeconds(5));

    public T Get<T>(string id)
        where T : class, IStoreObject => Store.Read(v => v.Get<T>(id)) ?? throw new InvalidOperationException($"{typeof(T).Name} {id} is gone");

    public int Count<T>()
        where T : class, IStoreObject => Store.Read(v => v.Count<T>());

    public async Task<Service> CreateService(ServiceSpec? spec = null) =>
        (await Api.CreateService(new() { Spec = spec ?? ServiceSpec() }, null!)).Service;

    public async Task<Service> UpdateService(Service service, Action<ServiceSpec> change, UpdateServiceRequest.Types.Rollback rollback = default)
    {
        ServiceSpec spec = service.Spec.Clone();
        change(spec);
        return (await Api.UpdateService(
            new() { ServiceId = service.Id, ServiceVersion = service.Meta.Version, Spec = spec, Rollback = rollback }, null!)).Service;
    }

    public async Task<Secret> CreateSecret(string name, string data = "s3cret") =>
        (await Api.CreateSecret(new() { Spec = new() { Annotations = new() { Name = name }, Data = Google.Protobuf.ByteString.CopyFromUtf8(data) } }, null!)).Secret;

    public async Task<Config> CreateConfig(string name, string data = "x=1") =>
        (await Api.CreateConfig(new() { Spec = new() { Annotations = new() { Name = name }, Data = Google.Protobuf.ByteString.CopyFromUtf8(data) } }, null!)).Config;

    /// <summary>The call is refused with this code and these words.</summary>
    public static async Task Refused(StatusCode code, string words, Func<Task> call)
    {
        RpcException e = await Assert.ThrowsAnyAsync<RpcException>(call);
        Assert.Equal(words, e.Status.Detail);
        Assert.Equal(code, e.StatusCode);
    }

    public static async Task RefusedAbout(StatusCode code, string part, Func<Task> call)
    {
        RpcException e = await Assert.ThrowsAnyAsync<RpcException>(call);
        Assert.Contains(part, e.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(code, e.StatusCode);
    }

    public ManagerStatus? Find(string nodeId) => Members.ContainsKey(nodeId)
        ? new() { RaftId = 1, Addr = "10.0.0.1:4242", Leader = nodeId == ManagerId, Reachability = RaftMemberStatus.Types.Reachability.Reachable }
        : null;

    public Skep.V1.ManagersStatus Status() => new();

    public bool CanLose(string nodeId) => Members.GetValueOrDefault(nodeId);

    public void Dispose() => Store.Dispose();
}

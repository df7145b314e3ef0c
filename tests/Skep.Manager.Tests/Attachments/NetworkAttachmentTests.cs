using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Attachments;
using Skep.Manager.Tests.Support;
using Skep.Store;

namespace Skep.Manager.Tests.Attachments;

public sealed class NetworkAttachmentTests : IDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);

    public void Dispose() => store.Dispose();

    [Theory]
    [InlineData("net-id")]
    [InlineData("open")]
    public async Task A_container_is_attached_by_a_task_of_its_node_and_detached_by_removing_it(string target)
    {
        await AddNetworksAsync();
        string id = await AttachAsync("n1", target);
        SwarmTask task = store.Read(v => v.Get<SwarmTask>(id))!;
        Assert.Equal(("n1", "c1", "net-id"), (task.NodeId, task.Spec.Attachment.ContainerId, task.Spec.Networks.Single().Target));
        Assert.Equal((TaskState.New, TaskState.Running), (task.Status.State, task.DesiredState));

        using Call stranger = Call.From("n2");
        Assert.Equal(
            (StatusCode.PermissionDenied, $"attachment {id} doesn't belong to this node"), await RefusalAsync(() => Service.DetachNetwork(new() { AttachmentId = id }, stranger)));
        using Call owner = Call.From("n1");
        await Service.DetachNetwork(new() { AttachmentId = id }, owner);
        Assert.Null(store.Read(v => v.Get<SwarmTask>(id)));
    }

    [Fact]
    public async Task What_cannot_be_attached_or_detached_is_refused_in_SwarmKit_s_words()
    {
        await AddNetworksAsync();
        Assert.Equal((StatusCode.NotFound, "network none not found"), await RefusalAsync(() => AttachAsync("n1", "none")));
        Assert.Equal((StatusCode.PermissionDenied, "network closed not manually attachable"), await RefusalAsync(() => AttachAsync("n1", "closed")));
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => AttachAsync("n1", ""))).Item1);
        using Call call = Call.From("n1");
        Assert.Equal((StatusCode.NotFound, "attachment x not found"), await RefusalAsync(() => Service.DetachNetwork(new() { AttachmentId = "x" }, call)));
        Assert.Equal((StatusCode.InvalidArgument, "invalid argument"), await RefusalAsync(() => Service.DetachNetwork(new(), call)));
    }

    [Fact]
    public async Task A_task_that_is_no_attachment_cannot_be_detached()
    {
        await store.UpdateAsync(tx => tx.Create(new SwarmTask { Id = "t", NodeId = "n1", Spec = new() { Container = new() } }));
        using Call call = Call.From("n1");
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(() => Service.DetachNetwork(new() { AttachmentId = "t" }, call))).Item1);
    }

    private ResourceAllocatorService Service => new(store, TimeProvider.System);

    private async Task AddNetworksAsync() => await store.UpdateAsync(tx =>
    {
        tx.Create(new Network { Id = "net-id", Spec = new() { Annotations = new() { Name = "open" }, Attachable = true } });
        tx.Create(new Network { Id = "closed", Spec = new() { Annotations = new() { Name = "closed-name" } } });
    });

    private async Task<string> AttachAsync(string nodeId, string target)
    {
        using Call call = Call.From(nodeId);
        return (await Service.AttachNetwork(new() { ContainerId = "c1", Config = new() { Target = target } }, call)).AttachmentId;
    }

    private static async Task<(StatusCode, string)> RefusalAsync(Func<Task> call)
    {
        Status status = (await Assert.ThrowsAsync<RpcException>(call)).Status;
        return (status.StatusCode, status.Detail);
    }
}

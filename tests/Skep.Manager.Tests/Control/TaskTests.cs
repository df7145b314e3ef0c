using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Manager.Tests.Control;

public sealed class TaskTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task Filters_all_apply()
    {
        Service service = await cluster.CreateService();
        Add("t1", service, node: "n1");
        Add("t2", service, node: "n2", desired: TaskState.Shutdown);
        Add("t3", null, node: "n1");

        Assert.Equal(["t1", "t2", "t3"], await Ids(new()));
        Assert.Equal(["t1", "t2"], await Ids(new() { ServiceIds = { service.Id } }));
        Assert.Equal(["t1", "t3"], await Ids(new() { NodeIds = { "n1" } }));
        Assert.Equal(["t1"], await Ids(new() { ServiceIds = { service.Id }, NodeIds = { "n1" } }));
        Assert.Equal(["t2"], await Ids(new() { DesiredStates = { TaskState.Shutdown } }));
        Assert.Equal(["t1", "t2", "t3"], await Ids(new() { DesiredStates = { TaskState.Shutdown, TaskState.Running } }));
        Assert.Equal(["t1"], await Ids(new() { Names = { "web.1.t1" } }));
        Assert.Equal(["t1", "t2"], await Ids(new() { NamePrefixes = { "web.1" } }));
        Assert.Equal(["t3"], await Ids(new() { IdPrefixes = { "t3" } }));
        Assert.Equal(["t1", "t2", "t3"], await Ids(new() { Runtimes = { "container" } }));
        Assert.Equal(["t1", "t2"], await Ids(new() { Labels = { ["tier"] = "front" } }));
    }

    [Fact]
    public async Task A_service_asked_for_twice_is_listed_once()
    {
        Service service = await cluster.CreateService();
        Add("t1", service);
        Assert.Equal(["t1"], await Ids(new() { ServiceIds = { service.Id, service.Id } }));
    }

    [Fact]
    public async Task Up_to_date_tasks_are_those_of_the_present_spec()
    {
        Service service = await cluster.CreateService();
        Add("old", service);
        service = await cluster.UpdateService(service, s => s.Task.Container.Image = "redis:3.0.6");
        Add("new", service);
        Assert.Equal(["new"], await Ids(new() { UpToDate = true }));
    }

    [Fact]
    public async Task Removing_removes_and_what_is_gone_is_not_found()
    {
        Add("t1", null);
        Assert.Equal("t1", (await cluster.Api.GetTask(new() { TaskId = "t1" }, null!)).Task.Id);
        await cluster.Api.RemoveTask(new() { TaskId = "t1" }, null!);
        await ControlCluster.Refused(StatusCode.NotFound, "task t1 not found", () => cluster.Api.RemoveTask(new() { TaskId = "t1" }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, "task t1 not found", () => cluster.Api.GetTask(new() { TaskId = "t1" }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.GetTask(new(), null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.RemoveTask(new(), null!));
    }

    public void Dispose() => cluster.Dispose();

    private void Add(string id, Service? service, string node = "n1", TaskState desired = TaskState.Running) => cluster.Add(new SwarmTask
    {
        Id = id,
        ServiceId = service?.Id ?? "",
        Slot = service is null ? 0u : 1,
        NodeId = node,
        DesiredState = desired,
        Spec = service?.Spec.Task.Clone() ?? new() { Container = new() },
        SpecVersion = service?.SpecVersion.Clone(),
        ServiceAnnotations = service is null ? null : new() { Name = service.Spec.Annotations.Name, Labels = { ["tier"] = "front" } },
        Status = new() { State = TaskState.Running },
    });

    private async Task<List<string>> Ids(ListTasksRequest.Types.Filters filters) =>
        [.. (await cluster.Api.ListTasks(new() { Filters = filters }, null!)).Tasks.Select(t => t.Id)];
}

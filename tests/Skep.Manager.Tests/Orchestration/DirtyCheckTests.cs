using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

public sealed class DirtyCheckTests
{
    private readonly Node node = LittleManager.NewNode("n1");
    private readonly Service service = new()
    {
        Id = "web",
        SpecVersion = new() { Index = 7 },
        Spec = new()
        {
            Annotations = new() { Name = "web" },
            Task = new() { Container = new() { Image = "redis:1" }, Placement = new() { Constraints = { "node.hostname==n1" } } },
            Endpoint = new() { Ports = { new PortConfig { TargetPort = 80 } } },
            Replicated = new() { Replicas = 1 },
        },
    };

    private readonly SwarmTask task;

    public DirtyCheckTests()
    {
        task = NewTask.Of(service, null, SlotKey.Numbered(1), TaskState.Running, "t1", DateTimeOffset.UnixEpoch).Clone();
        task.NodeId = "n1";
        task.Status.State = TaskState.Running;
        service.SpecVersion = new() { Index = 8 };
    }

    [Fact]
    public void A_task_of_an_equal_spec_is_clean_whatever_its_version() => Assert.False(IsDirty());

    [Fact]
    public void A_change_of_the_task_spec_makes_it_dirty()
    {
        service.Spec.Task.Container.Image = "redis:2";
        Assert.True(IsDirty());
    }

    [Fact]
    public void A_forced_update_makes_it_dirty()
    {
        service.Spec.Task.ForceUpdate++;
        Assert.True(IsDirty());
    }

    [Fact]
    public void The_same_version_is_taken_for_the_same_spec()
    {
        service.Spec.Task.Container.Image = "redis:2";
        service.SpecVersion.Index = 7;
        Assert.False(IsDirty());
    }

    [Fact]
    public void Scaling_relabelling_and_other_update_settings_leave_it_clean()
    {
        service.Spec.Replicated.Replicas = 9;
        service.Spec.Annotations.Labels["a"] = "b";
        service.Spec.Update = new() { Parallelism = 3 };
        Assert.False(IsDirty());
    }

    [Fact]
    public void A_change_of_ports_makes_it_dirty()
    {
        service.Spec.Endpoint.Ports[0].TargetPort = 81;
        Assert.True(IsDirty());
    }

    [Fact]
    public void An_empty_endpoint_and_none_are_the_same()
    {
        service.Spec.Endpoint = null;
        task.Endpoint.Spec = new();
        Assert.False(IsDirty());
    }

    [Fact]
    public void A_first_port_makes_it_dirty()
    {
        task.Endpoint = null;
        Assert.True(IsDirty());
    }

    [Fact]
    public void Other_placement_alone_leaves_it_clean_where_the_node_suits_it()
    {
        service.Spec.Task.Placement.Constraints[0] = "node.id==n1";
        Assert.False(IsDirty());
    }

    [Fact]
    public void Other_placement_makes_it_dirty_where_the_node_does_not()
    {
        service.Spec.Task.Placement.Constraints[0] = "node.id!=n1";
        Assert.True(IsDirty());
        Assert.True(new DirtyCheck(service).IsDirty(task, null));
    }

    [Fact]
    public void Other_placement_and_another_image_make_it_dirty()
    {
        service.Spec.Task.Placement.Constraints[0] = "node.id==n1";
        service.Spec.Task.Container.Image = "redis:2";
        Assert.True(IsDirty());
    }

    [Theory]
    [InlineData(TaskState.Preparing, true)]
    [InlineData(TaskState.Ready, false)]
    [InlineData(TaskState.Running, false)]
    [InlineData(TaskState.Rejected, true)]
    public void Other_pull_credentials_matter_only_as_long_as_the_image_is_to_be_pulled(TaskState state, bool dirty)
    {
        service.Spec.Task.Container.PullOptions = new() { RegistryAuth = "new" };
        task.Status.State = state;
        Assert.Equal(dirty, IsDirty());
    }

    private bool IsDirty() => new DirtyCheck(service).IsDirty(task, node);
}

using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

public sealed class ConstraintEnforcerTests
{
    private readonly LittleManager manager = new();

    [Fact]
    public void A_task_whose_node_no_longer_meets_its_constraints_is_rejected_and_put_elsewhere()
    {
        manager.Change("n1", n => n.Spec.Annotations.Labels["disk"] = "ssd");
        manager.Change("n2", n => n.Spec.Annotations.Labels["disk"] = "ssd");
        manager.Create(s => (s.Replicated.Replicas, s.Task.Placement) = (1, new() { Constraints = { "node.labels.disk==ssd" } }));
        manager.RunUntilRunning(1);
        SwarmTask old = manager.Running()[0];
        manager.Change(old.NodeId, n => n.Spec.Annotations.Labels.Clear());
        SwarmTask rejected = manager.Tasks().Single(t => t.Id == old.Id);
        Assert.Equal(TaskState.Rejected, rejected.Status.State);
        Assert.Equal("task rejected by constraint enforcer", rejected.Status.Message);
        Assert.Equal("assigned node no longer meets constraints", rejected.Status.Err);
        Assert.Equal(TaskState.Shutdown, rejected.DesiredState);
        manager.RunUntilRunning(1);
        Assert.NotEqual(old.NodeId, manager.Running()[0].NodeId);
    }

    [Fact]
    public void A_node_that_shrinks_loses_the_newest_tasks_that_no_longer_fit()
    {
        manager.Set("n2", NodeSpec.Types.Availability.Pause);
        manager.Set("n3", NodeSpec.Types.Availability.Pause);
        Reserving("old");
        manager.Run(1);
        Reserving("new");
        manager.RunUntilRunning(1, "new");
        manager.Change("n1", n => n.Description.Resources.MemoryBytes = 150);
        Assert.Equal(TaskState.Running, manager.Tasks("old")[0].Status.State);
        Assert.Equal(TaskState.Rejected, manager.Tasks("new")[0].Status.State);
    }

    [Fact]
    public void A_paused_node_keeps_tasks_that_it_would_not_get_any_more()
    {
        manager.Set("n1", NodeSpec.Types.Availability.Pause);
        manager.Set("n2", NodeSpec.Types.Availability.Pause);
        Reserving("web");
        manager.RunUntilRunning(1);
        manager.Change("n3", n =>
        {
            n.Spec.Availability = NodeSpec.Types.Availability.Pause;
            n.Description.Resources.MemoryBytes = 10;
        });
        Assert.Single(manager.Running());
    }

    [Fact]
    public void What_came_to_be_wrong_while_nobody_led_is_rejected_by_the_next_leader()
    {
        Reserving("web");
        manager.RunUntilRunning(1);
        SwarmTask task = manager.Running()[0].Clone();
        task.Spec.Placement = new() { Constraints = { "node.hostname==nowhere" } };
        manager.Write(tx => tx.Update(task));
        Assert.Single(manager.Running());
        manager.StartManager();
        Assert.Equal(TaskState.Rejected, manager.Tasks()[0].Status.State);
    }

    private void Reserving(string id) => manager.Create(s =>
    {
        s.Replicated.Replicas = 1;
        s.Task.Resources = new() { Reservations = new() { MemoryBytes = 100 } };
    }, id);
}

using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

public sealed class GlobalServiceTests
{
    private readonly LittleManager manager = new();

    [Fact]
    public void Every_node_gets_one_task_in_slot_zero()
    {
        Create();
        Assert.Equal(["n1", "n2", "n3"], manager.Running().Select(t => t.NodeId));
        Assert.All(manager.Running(), t => Assert.Equal(0u, t.Slot));
    }

    [Fact]
    public void A_node_that_comes_later_gets_one_too()
    {
        Create();
        manager.Write(tx => tx.Create(LittleManager.NewNode("n4")));
        manager.RunUntilRunning(4);
    }

    [Fact]
    public void Only_nodes_that_meet_the_constraints_get_one()
    {
        manager.Change("n2", n => n.Spec.Annotations.Labels["disk"] = "ssd");
        Create(1, s => s.Task.Placement = new() { Constraints = { "node.labels.disk==ssd" } });
        Assert.Equal("n2", manager.Running().Single().NodeId);
    }

    [Fact]
    public void Only_nodes_of_the_right_platform_get_one()
    {
        manager.Change("n3", n => n.Description.Platform.Architecture = "aarch64");
        Create(2, s => s.Task.Placement = new() { Platforms = { new Platform { Os = "linux", Architecture = "amd64" } } });
        Assert.Equal(["n1", "n2"], manager.Running().Select(t => t.NodeId));
    }

    [Fact]
    public void A_node_that_comes_to_meet_the_constraints_gets_one_and_loses_it_when_it_no_longer_does()
    {
        Create(0, s => s.Task.Placement = new() { Constraints = { "node.labels.disk==ssd" } });
        manager.Change("n2", n => n.Spec.Annotations.Labels["disk"] = "ssd");
        manager.RunUntilRunning(1);
        manager.Change("n2", n => n.Spec.Annotations.Labels["disk"] = "hdd");
        manager.RunUntilRunning(0);
        manager.Change("n2", n => n.Spec.Annotations.Labels["disk"] = "ssd");
        manager.RunUntilRunning(1);
    }

    [Fact]
    public void A_drained_node_loses_its_task_and_gets_one_again_when_it_is_active()
    {
        Create();
        manager.Set("n1", NodeSpec.Types.Availability.Drain);
        manager.RunUntilRunning(2);
        manager.Run(10);
        Assert.Equal(["n2", "n3"], manager.Running().Select(t => t.NodeId));
        manager.Set("n1", NodeSpec.Types.Availability.Active);
        manager.RunUntilRunning(3);
    }

    [Fact]
    public void A_node_that_was_down_gets_a_new_task_when_its_old_one_has_stopped()
    {
        Create();
        manager.Set("n1", NodeStatus.Types.State.Down);
        manager.Run(5);
        Assert.Equal(2, manager.Running().Count);
        manager.Set("n1", NodeStatus.Types.State.Ready);
        SwarmTask next = manager.Wanted().Single(t => t.NodeId == "n1");
        Assert.Equal(TaskState.Ready, next.DesiredState);
        manager.RunUntilRunning(3);
    }

    [Fact]
    public void The_tasks_of_a_node_that_is_gone_go_with_it()
    {
        Create();
        manager.Write(tx => tx.Remove<Node>("n1"));
        manager.Run(1);
        Assert.Equal(["n2", "n3"], manager.Tasks().Select(t => t.NodeId).Order());
    }

    [Fact]
    public void A_paused_node_keeps_its_task_but_gets_no_update_until_it_is_active()
    {
        Create();
        manager.Set("n1", NodeSpec.Types.Availability.Pause);
        manager.Update(LittleManager.Image("redis:2"));
        manager.RunUntil(() => manager.Service().UpdateStatus.State == UpdateStatus.Types.UpdateState.Completed, "the update is complete");
        Assert.Equal(["redis:1", "redis:2", "redis:2"], manager.Running().Select(t => t.Spec.Container.Image));
        manager.Set("n1", NodeSpec.Types.Availability.Active);
        manager.RunUntil(() => manager.Running().TrueForAll(t => t.Spec.Container.Image == "redis:2") && manager.Running().Count == 3, "the node is updated");
        Assert.Equal(UpdateStatus.Types.UpdateState.Completed, manager.Service().UpdateStatus.State);
    }

    [Fact]
    public void What_fails_on_a_paused_node_is_not_restarted_until_it_is_active()
    {
        Create();
        manager.Set("n1", NodeSpec.Types.Availability.Pause);
        manager.FateOf = t => t.NodeId == "n1" ? Fate.FailsAfter(0) : Fate.Runs;
        manager.Run(5);
        manager.FateOf = _ => Fate.Runs;
        manager.Run(20);
        Assert.Equal(["n2", "n3"], manager.Running().Select(t => t.NodeId));
        manager.Set("n1", NodeSpec.Types.Availability.Active);
        manager.RunUntilRunning(3);
    }

    [Fact]
    public void What_fails_is_restarted_on_its_node()
    {
        bool failed = false;
        manager.FateOf = t => t.NodeId == "n2" && !failed ? Fate.FailsAfter(2) : Fate.Runs;
        Create();
        manager.RunUntil(() => manager.Tasks().Count == 4, "the task is replaced");
        failed = true;
        manager.RunUntilRunning(3);
        Assert.Equal(2, manager.Tasks().Count(t => t.NodeId == "n2"));
    }

    [Fact]
    public void An_update_goes_from_node_to_node()
    {
        Create();
        int most = 0;
        manager.OnQuiet = () => most = Math.Max(most, 3 - manager.Running().Count);
        manager.Update(LittleManager.Image("redis:2"));
        manager.RunUntil(() => manager.Service().UpdateStatus.State == UpdateStatus.Types.UpdateState.Completed, "the update is complete");
        Assert.Equal(1, most);
        Assert.Equal(["n1", "n2", "n3"], manager.Running().Where(t => t.Spec.Container.Image == "redis:2").Select(t => t.NodeId));
    }

    private void Create(int running = 3, Action<ServiceSpec>? change = null)
    {
        manager.Create(s =>
        {
            s.Global = new();
            change?.Invoke(s);
        });
        manager.RunUntilRunning(running);
    }
}

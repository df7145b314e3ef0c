using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

public sealed class TaskReaperTests
{
    private readonly LittleManager manager = new();

    [Fact]
    public void A_slot_keeps_five_tasks()
    {
        manager.Create();
        UpdateTimes(8);
        Assert.All(manager.Tasks().GroupBy(t => t.Slot), slot => Assert.Equal(5, slot.Count()));
        Assert.Equal("redis:9", manager.Running()[0].Spec.Container.Image);
        Assert.Equal("redis:5", manager.Tasks().First(t => t.Slot == 1).Spec.Container.Image);
    }

    [Fact]
    public void A_node_of_a_global_service_keeps_five_tasks()
    {
        manager.Create(s => s.Global = new());
        UpdateTimes(8);
        Assert.All(manager.Tasks().GroupBy(t => t.NodeId), node => Assert.Equal(5, node.Count()));
    }

    [Fact]
    public void A_limit_below_zero_keeps_all()
    {
        Limit(-1);
        manager.Create();
        UpdateTimes(8);
        Assert.Equal(27, manager.Tasks().Count);
    }

    [Fact]
    public void A_lower_limit_goes_for_the_history_there_is()
    {
        manager.Create();
        UpdateTimes(6);
        Limit(1);
        manager.Run(1);
        Assert.Equal(3, manager.Tasks().Count);
        Assert.Equal(3, manager.Running().Count);
    }

    [Fact]
    public void The_last_task_of_a_slot_that_is_not_restarted_stays_even_without_history()
    {
        Limit(0);
        manager.FateOf = _ => Fate.CompletesAfter(1);
        manager.Create(s => s.Task.Restart.Condition = RestartPolicy.Types.RestartCondition.None);
        manager.Run(60);
        Assert.Equal(3, manager.Tasks().Count);
    }

    [Fact]
    public void A_task_to_be_removed_that_no_agent_has_goes_within_a_quarter_second()
    {
        manager.Create(s => s.Task.Placement = new() { Constraints = { "node.hostname==nowhere" } });
        manager.Run(1);
        manager.Remove();
        manager.Run(0.4);
        Assert.Empty(manager.Tasks());
    }

    [Fact]
    public void A_task_to_be_removed_stays_while_its_agent_has_not_stopped_it()
    {
        manager.StopsFor = TimeSpan.FromSeconds(20);
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Remove();
        manager.Run(15);
        Assert.Equal(3, manager.Tasks().Count);
        manager.Run(6);
        Assert.Empty(manager.Tasks());
    }

    [Fact]
    public void A_thousand_places_are_looked_at_at_once()
    {
        manager.Create(s => (s.Replicated.Replicas, s.Task.Placement) = (1500, new() { Constraints = { "node.hostname==nowhere" } }));
        manager.Remove();
        // No time has passed at all.
        Assert.Empty(manager.Tasks());
    }

    [Fact]
    public void A_task_without_service_goes_when_it_is_orphaned()
    {
        manager.Write(tx => tx.Create(new SwarmTask { Id = "attachment", NodeId = "n1", Spec = new() { Attachment = new() }, Status = new() { State = TaskState.Running }, DesiredState = TaskState.Running }));
        manager.Run(1);
        Assert.NotNull(manager.Store.Read(v => v.Get<SwarmTask>("attachment")));
        manager.Write(tx =>
        {
            SwarmTask task = tx.Get<SwarmTask>("attachment")!.Clone();
            task.Status.State = TaskState.Orphaned;
            tx.Update(task);
        });
        manager.Run(1);
        Assert.Null(manager.Store.Read(v => v.Get<SwarmTask>("attachment")));
    }

    [Fact]
    public void What_nobody_reaped_before_a_change_of_leader_is_reaped_after_it()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Remove();
        manager.RunUntil(() => manager.Tasks().TrueForAll(t => t.HasEnded()), "the tasks have stopped");
        manager.StartManager();
        Assert.Empty(manager.Tasks());
    }

    private void Limit(long limit) => manager.Write(tx =>
    {
        Cluster cluster = tx.List<Cluster>().Single().Clone();
        cluster.Spec.Orchestration.TaskHistoryRetentionLimit = limit;
        tx.Update(cluster);
    });

    private void UpdateTimes(int times)
    {
        manager.RunUntilRunning(3);
        for (int i = 2; i < 2 + times; i++)
        {
            manager.Update(LittleManager.Image($"redis:{i}"));
            manager.RunUntil(() => manager.Running().Count(t => t.Spec.Container.Image == $"redis:{i}") == 3, $"the update to {i}");
        }
        manager.Run(1);
    }
}

using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

public sealed class ReplicatedServiceTests
{
    private readonly LittleManager manager = new();

    [Fact]
    public void A_new_service_gets_a_task_in_each_of_its_slots_from_one_on()
    {
        manager.Create();
        List<SwarmTask> tasks = manager.Tasks();
        Assert.Equal([1, 2, 3], tasks.Select(t => t.Slot));
        SwarmTask task = tasks[0];
        Assert.Equal(TaskState.Running, task.DesiredState);
        Assert.Equal(TaskState.New, task.Status.State);
        Assert.Equal("created", task.Status.Message);
        Assert.Equal("web", task.ServiceAnnotations.Name);
        Assert.Equal(manager.Service().Spec.Task, task.Spec);
        Assert.Equal(manager.Service().SpecVersion, task.SpecVersion);
        Assert.Equal("", task.NodeId);
    }

    [Fact]
    public void A_task_takes_the_log_driver_of_its_spec_or_else_of_the_cluster()
    {
        manager.Write(tx =>
        {
            Cluster cluster = tx.List<Cluster>().Single().Clone();
            cluster.Spec.TaskDefaults = new() { LogDriver = new() { Name = "journald" } };
            tx.Update(cluster);
        });
        manager.Create();
        manager.Create(s => s.Task.LogDriver = new() { Name = "syslog" }, "other");
        Assert.All(manager.Tasks(), t => Assert.Equal("journald", t.LogDriver.Name));
        Assert.All(manager.Tasks("other"), t => Assert.Equal("syslog", t.LogDriver.Name));
    }

    [Fact]
    public void Scaling_up_keeps_what_runs_and_shows_no_update()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        List<SwarmTask> before = manager.Running();
        manager.Update(s => s.Replicated.Replicas = 6);
        manager.RunUntilRunning(6);
        Assert.Equal(before.Select(t => t.Id), manager.Running().Take(3).Select(t => t.Id));
        Assert.Equal([1, 2, 3, 4, 5, 6], manager.Running().Select(t => t.Slot));
        Assert.Null(manager.Service().UpdateStatus);
    }

    [Fact]
    public void Scaling_from_one_to_a_thousand_takes_a_handful_of_transactions()
    {
        manager.Create(s => s.Replicated.Replicas = 1);
        manager.RunUntilRunning(1);
        ulong before = manager.Transactions;
        manager.Update(s => s.Replicated.Replicas = 1000);
        Assert.Equal(1000, manager.Wanted().Count);
        Assert.InRange(manager.Transactions - before, 2u, 10u);
    }

    [Fact]
    public void Scaling_down_marks_tasks_for_removal_and_they_go_once_they_have_stopped()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Update(s => s.Replicated.Replicas = 1);
        Assert.Equal(2, manager.Tasks().Count(t => t.DesiredState == TaskState.Remove));
        Assert.Single(manager.Wanted());
        manager.RunUntil(() => manager.Tasks().Count == 1, "the removed tasks are gone");
    }

    [Fact]
    public void Scaling_to_none_and_back_starts_again_from_slot_one()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Update(s => s.Replicated.Replicas = 0);
        manager.RunUntil(() => manager.Tasks().Count == 0, "all tasks are gone");
        manager.Update(s => s.Replicated.Replicas = 2);
        manager.RunUntilRunning(2);
        Assert.Equal([1, 2], manager.Running().Select(t => t.Slot));
    }

    [Fact]
    public void A_slot_whose_old_task_still_stops_waits_for_it()
    {
        manager.StopsFor = TimeSpan.FromSeconds(5);
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Update(s => s.Replicated.Replicas = 0);
        manager.Run(1);
        manager.Update(s => s.Replicated.Replicas = 3);
        Assert.All(manager.Wanted(), t => Assert.Equal(TaskState.Ready, t.DesiredState));
        manager.RunUntilRunning(3);
    }

    [Fact]
    public void Scaling_down_gives_up_what_does_not_run_first()
    {
        manager.FateOf = t => t.Slot == 1 ? Fate.Rejected : Fate.Runs;
        manager.Create();
        manager.RunUntil(() => manager.Running().Count == 2, "two run");
        manager.Update(s => s.Replicated.Replicas = 2);
        Assert.Equal([2, 3], manager.Wanted().Select(t => t.Slot));
    }

    [Fact]
    public void Scaling_down_takes_from_the_nodes_with_the_most_tasks()
    {
        manager.Set("n2", NodeSpec.Types.Availability.Pause);
        manager.Set("n3", NodeSpec.Types.Availability.Pause);
        manager.Create(s => s.Replicated.Replicas = 4);
        manager.RunUntilRunning(4);
        manager.Set("n2", NodeSpec.Types.Availability.Active);
        manager.Set("n3", NodeSpec.Types.Availability.Active);
        manager.Update(s => s.Replicated.Replicas = 6);
        manager.RunUntilRunning(6);
        manager.Update(s => s.Replicated.Replicas = 3);
        Assert.Equal(["n1", "n2", "n3"], manager.Wanted().Select(t => t.NodeId).Order());
    }

    [Fact]
    public void A_free_slot_in_the_middle_is_filled_before_a_new_one()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Write(tx => tx.Remove<SwarmTask>(manager.Running()[1].Id));
        Assert.Equal([1, 2, 3], manager.Wanted().Select(t => t.Slot));
    }

    [Fact]
    public void Removing_a_service_stops_its_tasks_and_then_they_are_gone()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Remove();
        Assert.All(manager.Tasks(), t => Assert.Equal(TaskState.Remove, t.DesiredState));
        Assert.Equal(3, manager.Tasks().Count);
        manager.RunUntil(() => manager.Tasks().Count == 0, "the tasks are gone");
    }

    [Fact]
    public void Tasks_of_a_service_removed_while_nobody_led_are_stopped_by_the_next_leader()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Write(tx =>
        {
            foreach (SwarmTask task in tx.TasksByService("web").ToList())
            {
                SwarmTask other = task.Clone();
                other.Id = "x" + task.Id[1..];
                other.ServiceId = "gone";
                tx.Create(other);
            }
        });
        manager.StartManager();
        Assert.Equal(3, manager.Tasks("gone").Count(t => t.DesiredState == TaskState.Remove));
        Assert.Equal(3, manager.Running().Count);
    }

    [Fact]
    public void A_service_marked_for_deletion_goes_after_the_last_of_its_tasks()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        manager.Write(tx =>
        {
            Service service = tx.Get<Service>("web")!.Clone();
            service.PendingDelete = true;
            tx.Update(service);
        });
        Assert.NotNull(manager.Service());
        manager.RunUntil(() => manager.Store.Read(v => v.Get<Service>("web")) is null, "the service is gone");
        Assert.Empty(manager.Tasks());
    }

    [Fact]
    public void A_service_that_asks_for_more_than_one_plan_makes_gets_the_rest_with_the_next()
    {
        manager.Create(s => s.Replicated.Replicas = ReplicatedServices.MaxNewTasks + 5);
        Assert.Equal(ReplicatedServices.MaxNewTasks + 5, manager.Wanted().Count);
    }
}

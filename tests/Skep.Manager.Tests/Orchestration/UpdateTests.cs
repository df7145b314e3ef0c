using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;
using Action = Docker.Swarmkit.V1.UpdateConfig.Types.FailureAction;
using Order = Docker.Swarmkit.V1.UpdateConfig.Types.UpdateOrder;
using State = Docker.Swarmkit.V1.UpdateStatus.Types.UpdateState;

namespace Skep.Manager.Tests.Orchestration;

public sealed class UpdateTests
{
    private readonly LittleManager manager = new();

    [Fact]
    public void An_update_replaces_one_task_after_the_other_and_says_when_it_is_complete()
    {
        Create(6);
        manager.Update(LittleManager.Image("redis:2"));
        Assert.Equal(State.Updating, manager.Service().UpdateStatus.State);
        Assert.Equal("update in progress", manager.Service().UpdateStatus.Message);
        Assert.Equal(manager.Now, manager.Service().UpdateStatus.StartedAt.ToDateTimeOffset());
        int most = 0;
        manager.OnQuiet = () => most = Math.Max(most, 6 - manager.Running().Count);
        RunUntilState(State.Completed);
        Assert.Equal(1, most);
        Assert.Equal("update completed", manager.Service().UpdateStatus.Message);
        Assert.Equal(manager.Now, manager.Service().UpdateStatus.CompletedAt.ToDateTimeOffset());
        Assert.Equal(6, RunningOf("redis:2"));
        Assert.Equal([1, 2, 3, 4, 5, 6], manager.Running().Select(t => t.Slot));
    }

    [Fact]
    public void The_new_task_is_prepared_while_the_old_one_stops_and_starts_when_it_has()
    {
        Create(1);
        manager.StopsFor = TimeSpan.FromSeconds(3);
        manager.Update(LittleManager.Image("redis:2"));
        Assert.Equal([TaskState.Shutdown, TaskState.Ready], manager.Tasks().Select(t => t.DesiredState));
        manager.Run(2);
        Assert.Equal([TaskState.Running, TaskState.Ready], manager.Tasks().Select(t => t.Status.State));
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].DesiredState);
        manager.Run(2);
        Assert.Equal([TaskState.Shutdown, TaskState.Running], manager.Tasks().Select(t => t.Status.State));
    }

    [Fact]
    public void Parallelism_and_delay_make_the_pace()
    {
        Create(6, u => (u.Parallelism, u.Delay) = (2, LittleManager.Seconds(10)));
        manager.Update(LittleManager.Image("redis:3"));
        manager.Run(9);
        Assert.Equal(2, RunningOf("redis:3"));
        Assert.Equal(6, manager.Running().Count);
        manager.Run(10);
        Assert.Equal(4, RunningOf("redis:3"));
        manager.Run(12);
        Assert.Equal(6, RunningOf("redis:3"));
        // The delay after the last two passes as well, and then they are monitored for a second longer than the delay.
        manager.Run(7);
        Assert.Equal(State.Updating, manager.Service().UpdateStatus.State);
        manager.Run(15);
        Assert.Equal(State.Completed, manager.Service().UpdateStatus.State);
    }

    [Fact]
    public void A_parallelism_of_none_means_all_at_once()
    {
        Create(6, u => u.Parallelism = 0);
        manager.Update(LittleManager.Image("redis:2"));
        Assert.Equal(6, manager.Wanted().Count(t => t.Spec.Container.Image == "redis:2"));
    }

    [Fact]
    public void Start_first_runs_the_new_task_before_it_stops_the_old_one()
    {
        Create(2, u => u.Order = Order.StartFirst);
        manager.Update(LittleManager.Image("redis:2"));
        Assert.Equal(3, manager.Wanted().Count);
        int least = int.MaxValue;
        manager.OnQuiet = () => least = Math.Min(least, manager.Running().Count);
        RunUntilState(State.Completed);
        Assert.Equal(2, least);
        Assert.Equal(2, RunningOf("redis:2"));
        Assert.Equal(2, manager.Wanted().Count);
    }

    [Fact]
    public void A_failure_pauses_the_update_and_names_the_task()
    {
        FailWith("bad");
        Create(4, u => u.Delay = LittleManager.Seconds(2));
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.Paused);
        string failed = manager.Tasks().First(t => t.Spec.Container.Image == "bad").Id;
        Assert.Equal($"update paused due to failure or early termination of task {failed}", manager.Service().UpdateStatus.Message);
        manager.Run(60);
        Assert.Equal(3, RunningOf("redis:1"));
        Assert.Equal(State.Paused, manager.Service().UpdateStatus.State);
    }

    [Fact]
    public void A_rejected_task_is_a_failure_too()
    {
        manager.FateOf = t => t.Spec.Container.Image == "nowhere" ? Fate.Rejected : Fate.Runs;
        Create(4);
        manager.Update(LittleManager.Image("nowhere"));
        RunUntilState(State.Paused);
        Assert.Equal(3, RunningOf("redis:1"));
    }

    [Fact]
    public void A_task_that_fails_after_it_was_monitored_is_no_failure_of_the_update()
    {
        manager.FateOf = t => t.Spec.Container.Image == "late" ? Fate.FailsAfter(3) : Fate.Runs;
        Create(1, u => u.Monitor = LittleManager.Seconds(1));
        manager.Update(LittleManager.Image("late"));
        RunUntilState(State.Completed);
    }

    [Fact]
    public void As_many_failures_as_the_ratio_allows_do_not_stop_an_update()
    {
        manager.FateOf = t => t.Spec.Container.Image == "bad" && t.Slot == 2 ? Fate.FailsAfter(1) : Fate.Runs;
        Create(4, u => u.MaxFailureRatio = 0.25f);
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.Completed);
        Assert.True(RunningOf("bad") >= 3);
    }

    [Fact]
    public void One_failure_more_does()
    {
        manager.FateOf = t => t.Spec.Container.Image == "bad" && t.Slot is 2 or 3 ? Fate.FailsAfter(1) : Fate.Runs;
        Create(4, u => u.MaxFailureRatio = 0.25f);
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.Paused);
    }

    [Fact]
    public void To_continue_means_whatever_fails()
    {
        FailWith("bad");
        Create(3, u => u.FailureAction = Action.Continue);
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.Completed);
        Assert.All(manager.Wanted(), t => Assert.Equal("bad", t.Spec.Container.Image));
    }

    [Fact]
    public void A_failure_rolls_the_service_back_to_the_spec_before()
    {
        FailWith("bad");
        Create(4, u => u.FailureAction = Action.Rollback);
        ServiceSpec before = manager.Service().Spec;
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.RollbackStarted);
        string failed = manager.Tasks().First(t => t.Spec.Container.Image == "bad").Id;
        Assert.Equal($"update rolled back due to failure or early termination of task {failed}", manager.Service().UpdateStatus.Message);
        Assert.Equal(before, manager.Service().Spec);
        Assert.Null(manager.Service().PreviousSpec);
        RunUntilState(State.RollbackCompleted);
        Assert.Equal("rollback completed", manager.Service().UpdateStatus.Message);
        Assert.Equal(4, RunningOf("redis:1"));
    }

    [Fact]
    public void A_rollback_that_fails_is_paused_and_never_rolled_back()
    {
        bool broken = false;
        manager.FateOf = t => broken || t.Spec.Container.Image == "bad" ? Fate.FailsAfter(1) : Fate.Runs;
        Create(2, u => u.FailureAction = Action.Rollback, rollback: u => u.FailureAction = Action.Rollback);
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.RollbackStarted);
        broken = true;
        RunUntilState(State.RollbackPaused);
        Assert.StartsWith("rollback paused due to failure or early termination of task ", manager.Service().UpdateStatus.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rollback_asked_for_goes_by_the_rollback_settings()
    {
        Create(4, rollback: u => u.Parallelism = 0);
        manager.Update(LittleManager.Image("redis:2"));
        RunUntilState(State.Completed);
        manager.RollBack();
        Assert.Equal(4, manager.Wanted().Count(t => t.Spec.Container.Image == "redis:1"));
        RunUntilState(State.RollbackCompleted);
        Assert.Equal(4, RunningOf("redis:1"));
    }

    [Fact]
    public void A_rollback_in_the_middle_of_an_update_keeps_what_was_not_updated_yet()
    {
        Create(4, u => u.Delay = LittleManager.Seconds(5));
        List<string> before = [.. manager.Running().Select(t => t.Id)];
        manager.Update(LittleManager.Image("redis:2"));
        manager.Run(4);
        manager.RollBack();
        RunUntilState(State.RollbackCompleted);
        Assert.Equal(4, RunningOf("redis:1"));
        Assert.Equal(before.Skip(1), manager.Running().Skip(1).Select(t => t.Id));
    }

    [Fact]
    public void A_new_spec_takes_the_place_of_an_update_under_way()
    {
        Create(6, u => u.Delay = LittleManager.Seconds(5));
        manager.Update(LittleManager.Image("redis:2"));
        manager.Run(8);
        manager.Update(LittleManager.Image("redis:3"));
        RunUntilState(State.Completed);
        Assert.Equal(6, RunningOf("redis:3"));
        Assert.True(manager.Tasks().Count(t => t.Spec.Container.Image == "redis:2") <= 3);
    }

    [Fact]
    public void A_new_spec_wakes_a_paused_service()
    {
        FailWith("bad");
        Create(3);
        manager.Update(LittleManager.Image("bad"));
        RunUntilState(State.Paused);
        manager.Update(LittleManager.Image("redis:2"));
        RunUntilState(State.Completed);
        Assert.Equal(3, RunningOf("redis:2"));
    }

    [Fact]
    public void Scaling_and_updating_at_once_makes_new_tasks_of_the_new_spec()
    {
        Create(3);
        manager.Update(s =>
        {
            s.Replicated.Replicas = 5;
            s.Task.Container.Image = "redis:2";
        });
        Assert.All(manager.Wanted().Where(t => t.Slot > 3), t => Assert.Equal("redis:2", t.Spec.Container.Image));
        RunUntilState(State.Completed);
        Assert.Equal(5, RunningOf("redis:2"));
    }

    [Fact]
    public void The_same_spec_forced_is_an_update()
    {
        Create(2);
        List<string> before = [.. manager.Running().Select(t => t.Id)];
        manager.Update(s => s.Task.ForceUpdate++);
        RunUntilState(State.Completed);
        Assert.Empty(before.Intersect(manager.Running().Select(t => t.Id)));
    }

    [Fact]
    public void The_next_leader_goes_on_where_the_update_stands()
    {
        Create(6, u => (u.Parallelism, u.Delay) = (2, LittleManager.Seconds(5)));
        manager.Update(LittleManager.Image("redis:2"));
        int most = 0;
        manager.OnQuiet = () => most = Math.Max(most, 6 - manager.Running().Count);
        DateTimeOffset started = manager.Now;
        while (manager.Service().UpdateStatus.State == State.Updating)
        {
            manager.Run(0.7);
            manager.StartManager();
            Assert.True(manager.Now - started < TimeSpan.FromMinutes(2), manager.Describe());
        }
        Assert.Equal(State.Completed, manager.Service().UpdateStatus.State);
        Assert.Equal(6, RunningOf("redis:2"));
        Assert.Equal(6, manager.Tasks().Count(t => t.Spec.Container.Image == "redis:2"));
        Assert.Equal(2, most);
        // Three pairs with their delays, and the monitoring: a change of leader is no way around the pace.
        Assert.InRange((manager.Now - started).TotalSeconds, 15, 40);
    }

    [Fact]
    public void The_next_leader_stops_the_old_tasks_of_slots_started_first()
    {
        Create(2, u => u.Order = Order.StartFirst);
        manager.PreparesFor = TimeSpan.FromSeconds(2);
        manager.Update(LittleManager.Image("redis:2"));
        manager.Run(1);
        manager.StartManager();
        Assert.Equal(3, manager.Wanted().Count);
        RunUntilState(State.Completed);
        Assert.Equal(2, RunningOf("redis:2"));
        Assert.Equal(2, manager.Wanted().Count);
    }

    [Fact]
    public void A_failure_before_a_change_of_leader_still_counts()
    {
        manager.FateOf = t => t.Spec.Container.Image == "bad" && t.Slot <= 2 ? Fate.FailsAfter(0.5) : Fate.Runs;
        Create(4, u => u.MaxFailureRatio = 0.25f);
        manager.Update(LittleManager.Image("bad"));
        manager.RunUntil(() => manager.Tasks().Exists(t => t.Slot == 1 && t.Status.State == TaskState.Failed), "the first fails");
        manager.StartManager();
        RunUntilState(State.Paused);
    }

    [Fact]
    public void A_node_drained_during_an_update_is_no_failure_of_it()
    {
        Create(3, u => u.Delay = LittleManager.Seconds(1));
        manager.Update(LittleManager.Image("redis:2"));
        manager.RunUntil(() => RunningOf("redis:2") == 1, "the first is updated");
        manager.Set(manager.Running().First(t => t.Spec.Container.Image == "redis:2").NodeId, NodeSpec.Types.Availability.Drain);
        RunUntilState(State.Completed);
        Assert.Equal(3, RunningOf("redis:2"));
    }

    [Fact]
    public void A_node_lost_under_a_slot_being_updated_does_not_hold_the_update_up()
    {
        Create(3);
        manager.PreparesFor = TimeSpan.FromSeconds(3);
        manager.Update(LittleManager.Image("redis:2"));
        manager.Run(1);
        SwarmTask updating = manager.Wanted().Single(t => t.Spec.Container.Image == "redis:2");
        manager.Set(updating.NodeId, NodeStatus.Types.State.Down);
        RunUntilState(State.Completed);
        Assert.Equal(3, RunningOf("redis:2"));
    }

    [Fact]
    public void A_task_that_was_not_to_be_restarted_is_updated_all_the_same()
    {
        manager.FateOf = t => t.Spec.Container.Image == "redis:1" ? Fate.CompletesAfter(1) : Fate.Runs;
        manager.Create(s => s.Task.Restart.Condition = RestartPolicy.Types.RestartCondition.None);
        manager.RunUntil(() => manager.Tasks().TrueForAll(t => t.HasEnded()), "all have ended");
        manager.Run(10);
        Assert.Equal(3, manager.Tasks().Count);
        manager.Update(LittleManager.Image("redis:2"));
        RunUntilState(State.Completed);
        Assert.Equal(3, RunningOf("redis:2"));
    }

    private void Create(ulong replicas, System.Action<UpdateConfig>? update = null, System.Action<UpdateConfig>? rollback = null)
    {
        manager.Create(s =>
        {
            s.Replicated.Replicas = replicas;
            s.Update = new() { Parallelism = 1 };
            s.Rollback = new() { Parallelism = 1 };
            update?.Invoke(s.Update);
            rollback?.Invoke(s.Rollback);
        });
        manager.RunUntilRunning((int)replicas);
    }

    private void FailWith(string image) => manager.FateOf = t => t.Spec.Container.Image == image ? Fate.FailsAfter(1) : Fate.Runs;

    private int RunningOf(string image) => manager.Running().Count(t => t.Spec.Container.Image == image);

    private void RunUntilState(State state) =>
        manager.RunUntil(() => manager.Service().UpdateStatus?.State == state, $"the update is {state}", 120);
}

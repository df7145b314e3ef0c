using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;
using Condition = Docker.Swarmkit.V1.RestartPolicy.Types.RestartCondition;

namespace Skep.Manager.Tests.Orchestration;

public sealed class RestartTests
{
    private readonly LittleManager manager = new();

    [Theory]
    [InlineData(Condition.None, false, false)]
    [InlineData(Condition.None, true, false)]
    [InlineData(Condition.OnFailure, false, false)]
    [InlineData(Condition.OnFailure, true, true)]
    [InlineData(Condition.Any, false, true)]
    [InlineData(Condition.Any, true, true)]
    public void The_condition_says_which_ends_are_followed_by_a_new_task(Condition condition, bool fails, bool followed)
    {
        manager.FateOf = _ => fails ? Fate.FailsAfter(1) : Fate.CompletesAfter(1);
        Create(r => r.Condition = condition);
        manager.RunUntil(() => manager.Tasks()[0].HasEnded(), "the task has ended");
        manager.Run(1);
        Assert.Equal(followed ? 2 : 1, manager.Tasks().Count);
        Assert.Equal(TaskState.Shutdown, manager.Tasks()[0].DesiredState);
        manager.Run(30);
        Assert.Equal(followed, manager.Tasks().Count > 1);
    }

    [Fact]
    public void Without_a_policy_every_end_is_followed_by_a_new_task_after_five_seconds()
    {
        manager.FateOf = _ => Fate.FailsAfter(20);
        Create(null);
        manager.RunUntil(() => manager.Tasks().Count == 2, "a new task is made");
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].DesiredState);
        manager.Run(4.5);
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].Status.State);
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].DesiredState);
        manager.Run(0.5);
        Assert.Equal(TaskState.Running, manager.Tasks()[1].DesiredState);
    }

    [Fact]
    public void A_new_task_may_prepare_during_the_delay_but_not_run()
    {
        manager.FateOf = _ => Fate.FailsAfter(20);
        Create(r => r.Delay = LittleManager.Seconds(3));
        manager.RunUntil(() => manager.Tasks().Count == 2, "a new task is made");
        manager.Run(2.8);
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].Status.State);
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].DesiredState);
        manager.Run(0.6);
        Assert.Equal(TaskState.Running, manager.Tasks()[1].Status.State);
    }

    [Fact]
    public void No_more_attempts_are_made_than_allowed()
    {
        manager.FateOf = _ => Fate.FailsAfter(0.5);
        Create(r => r.MaxAttempts = 3);
        manager.Run(200);
        Assert.Equal(4, manager.Tasks().Count);
        Assert.Empty(manager.Wanted());
    }

    [Fact]
    public void A_slot_that_was_given_up_stays_so_under_the_next_leader()
    {
        manager.FateOf = _ => Fate.FailsAfter(0.5);
        Create(r => r.MaxAttempts = 3);
        manager.Run(200);
        manager.StartManager();
        manager.Run(100);
        Assert.Equal(4, manager.Tasks().Count);
    }

    [Fact]
    public void Attempts_outside_the_window_do_not_count()
    {
        manager.FateOf = _ => Fate.FailsAfter(15);
        Create(r => (r.MaxAttempts, r.Window) = (2, LittleManager.Seconds(20)));
        manager.Run(300);
        Assert.Single(manager.Wanted());
        Assert.True(Made() > 10);
    }

    [Fact]
    public void Attempts_inside_the_window_do()
    {
        manager.FateOf = _ => Fate.FailsAfter(15);
        Create(r => (r.MaxAttempts, r.Window) = (2, LittleManager.Seconds(300)));
        manager.Run(300);
        Assert.Empty(manager.Wanted());
        Assert.Equal(3, manager.Tasks().Count);
    }

    [Fact]
    public void A_new_spec_has_all_its_attempts_before_it()
    {
        manager.FateOf = t => t.Spec.Container.Image == "redis:1" ? Fate.FailsAfter(0.5) : Fate.Runs;
        Create(r => r.MaxAttempts = 1);
        manager.Run(60);
        Assert.Empty(manager.Wanted());
        manager.Update(LittleManager.Image("redis:2"));
        manager.RunUntilRunning(1);
    }

    [Fact]
    public void A_rejected_image_is_tried_again_ever_more_slowly_up_to_a_minute()
    {
        manager.FateOf = _ => Fate.Rejected;
        Create(r => r.Delay = LittleManager.Seconds(5));
        List<double> gaps = Gaps(for_: 600);
        // The delay, then some tenths of a second until the next is rejected; from one task to the next both pass.
        Assert.True(gaps.Count < 20, $"{gaps.Count} tasks in ten minutes");
        Assert.InRange(gaps[1], 5, 11);
        Assert.InRange(gaps[^1], 60, 65);
        Assert.True(gaps.Zip(gaps.Skip(1)).All(g => g.Second >= g.First - 0.5), string.Join(' ', gaps));
    }

    [Fact]
    public void No_delay_asked_for_is_no_hot_loop_either()
    {
        manager.FateOf = _ => Fate.Rejected;
        Create(r => r.Delay = LittleManager.Seconds(0));
        manager.Run(600);
        Assert.InRange(Made(), 5, 25);
    }

    [Fact]
    public void A_delay_longer_than_a_minute_is_kept_as_it_is()
    {
        manager.FateOf = _ => Fate.FailsAfter(1);
        Create(r => r.Delay = LittleManager.Seconds(90));
        List<double> gaps = Gaps(for_: 1000);
        Assert.All(gaps.Skip(1), g => Assert.InRange(g, 90, 94));
    }

    [Fact]
    public void A_task_that_ran_a_while_is_followed_after_the_delay_it_asked_for()
    {
        manager.FateOf = _ => Fate.FailsAfter(15);
        Create(r => r.Delay = LittleManager.Seconds(2));
        Assert.All(Gaps(for_: 300), g => Assert.InRange(g, 15, 19));
    }

    [Fact]
    public void A_task_that_completes_again_and_again_is_no_failure()
    {
        manager.FateOf = _ => Fate.CompletesAfter(1);
        Create(r => r.Delay = LittleManager.Seconds(2));
        Assert.All(Gaps(for_: 120), g => Assert.InRange(g, 1, 5));
    }

    [Fact]
    public void The_tasks_of_a_drained_node_move_at_once_but_one_runs_at_a_time()
    {
        manager.StopsFor = TimeSpan.FromSeconds(4);
        Create(r => r.Delay = LittleManager.Seconds(30));
        manager.RunUntilRunning(1);
        SwarmTask old = manager.Running()[0];
        manager.Set(old.NodeId, NodeSpec.Types.Availability.Drain);
        SwarmTask next = Assert.Single(manager.Wanted());
        Assert.NotEqual(old.Id, next.Id);
        Assert.Equal(TaskState.Ready, next.DesiredState);
        manager.Run(3);
        Assert.Equal(TaskState.Ready, manager.Wanted()[0].DesiredState);
        manager.RunUntilRunning(1);
        Assert.NotEqual(old.NodeId, manager.Running()[0].NodeId);
        Assert.Equal(TaskState.Shutdown, manager.Tasks()[0].Status.State);
    }

    [Fact]
    public void The_tasks_of_a_node_that_is_down_are_replaced_without_waiting_for_it()
    {
        Create(r => r.Delay = LittleManager.Seconds(30));
        manager.RunUntilRunning(1);
        SwarmTask old = manager.Running()[0];
        manager.Set(old.NodeId, NodeStatus.Types.State.Down);
        manager.Run(2);
        Assert.NotEqual(old.NodeId, Assert.Single(manager.Running()).NodeId);
        manager.Set(old.NodeId, NodeStatus.Types.State.Ready);
        manager.Run(3);
        Assert.Equal(TaskState.Shutdown, manager.Tasks().Single(t => t.Id == old.Id).Status.State);
        Assert.Single(manager.Running());
    }

    [Fact]
    public void The_tasks_of_a_node_that_is_gone_are_replaced()
    {
        Create(r => r.Delay = LittleManager.Seconds(30));
        manager.RunUntilRunning(1);
        string node = manager.Running()[0].NodeId;
        manager.Write(tx => tx.Remove<Node>(node));
        manager.Run(2);
        Assert.NotEqual(node, Assert.Single(manager.Running()).NodeId);
    }

    [Fact]
    public void Moving_from_node_to_node_uses_up_no_attempts()
    {
        Create(r => r.MaxAttempts = 1);
        for (int i = 0; i < 5; i++)
        {
            manager.RunUntilRunning(1);
            string node = manager.Running()[0].NodeId;
            manager.Set(node, NodeSpec.Types.Availability.Drain);
            manager.RunUntil(() => manager.Running() is [{ } t] && t.NodeId != node, "it runs elsewhere");
            manager.Set(node, NodeSpec.Types.Availability.Active);
        }
    }

    [Fact]
    public void A_paused_node_keeps_its_tasks_and_gets_no_new_ones()
    {
        Create(null);
        manager.RunUntilRunning(1);
        SwarmTask task = manager.Running()[0];
        manager.Set(task.NodeId, NodeSpec.Types.Availability.Pause);
        manager.Run(10);
        Assert.Equal(task.Id, Assert.Single(manager.Running()).Id);
    }

    [Fact]
    public void A_predecessor_that_does_not_stop_is_waited_for_a_minute_and_no_longer()
    {
        manager.StopsFor = TimeSpan.FromHours(1);
        Create(null);
        manager.RunUntilRunning(1);
        manager.Set(manager.Running()[0].NodeId, NodeSpec.Types.Availability.Drain);
        manager.Run(59);
        Assert.Equal(TaskState.Ready, manager.Wanted()[0].DesiredState);
        manager.Run(2);
        Assert.Equal(TaskState.Running, manager.Wanted()[0].DesiredState);
    }

    [Fact]
    public void A_predecessor_with_a_longer_grace_period_has_that_long()
    {
        manager.StopsFor = TimeSpan.FromHours(1);
        manager.Create(s =>
        {
            s.Replicated.Replicas = 1;
            s.Task.Container.StopGracePeriod = LittleManager.Seconds(120);
        });
        manager.RunUntilRunning(1);
        manager.Set(manager.Running()[0].NodeId, NodeSpec.Types.Availability.Drain);
        manager.Run(125);
        Assert.Equal(TaskState.Ready, manager.Wanted()[0].DesiredState);
        manager.Run(10);
        Assert.Equal(TaskState.Running, manager.Wanted()[0].DesiredState);
    }

    [Fact]
    public void A_waiting_task_starts_under_the_next_leader_when_its_delay_is_over()
    {
        manager.FateOf = _ => Fate.FailsAfter(15);
        Create(r => r.Delay = LittleManager.Seconds(10));
        manager.RunUntil(() => manager.Tasks().Count == 2, "a new task is made");
        manager.Run(3);
        manager.StartManager();
        manager.Run(5);
        Assert.Equal(TaskState.Ready, manager.Tasks()[1].DesiredState);
        manager.Run(3);
        Assert.Equal(TaskState.Running, manager.Tasks()[1].DesiredState);
    }

    [Fact]
    public void What_ended_while_nobody_led_is_restarted_by_the_next_leader()
    {
        manager.Create();
        manager.RunUntilRunning(3);
        SwarmTask task = manager.Running()[1];
        var dead = task.Clone();
        dead.Status.State = TaskState.Failed;
        // Nobody tells this manager's successor; it reads the store.
        manager.Write(tx => tx.Update(dead));
        manager.StartManager();
        Assert.Equal(2, manager.Tasks().Count(t => t.Slot == task.Slot));
        manager.RunUntilRunning(3);
    }

    private void Create(Action<RestartPolicy>? change) => manager.Create(s =>
    {
        s.Replicated.Replicas = 1;
        if (change is null)
        {
            s.Task.Restart = null;
        }
        else
        {
            change(s.Task.Restart);
        }
    });

    private int Made() => Gaps(0).Count + 1;

    private readonly List<DateTimeOffset> made = [];

    // Seconds between the makings of one task and the next, over a time.
    private List<double> Gaps(double for_)
    {
        manager.Run(for_);
        return [.. made.Zip(made.Skip(1), (a, b) => (b - a).TotalSeconds)];
    }

    public RestartTests()
    {
        manager.OnCommit = commit => made.AddRange(commit.Changes
            .Where(c => c is { Kind: Store.StoreChangeKind.Create, Object: SwarmTask })
            .Select(_ => manager.Now));
    }
}

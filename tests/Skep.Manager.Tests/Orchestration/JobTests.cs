using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;
using Condition = Docker.Swarmkit.V1.RestartPolicy.Types.RestartCondition;

namespace Skep.Manager.Tests.Orchestration;

public sealed class JobTests
{
    private readonly LittleManager manager = new() { FateOf = static _ => Fate.CompletesAfter(2) };

    [Fact]
    public void A_replicated_job_runs_so_many_tasks_at_a_time_until_so_many_are_complete()
    {
        Create(total: 5, concurrent: 2);
        int most = 0;
        manager.OnQuiet = () => most = Math.Max(most, manager.Tasks().Count(t => t.IsWanted() && !t.HasEnded()));
        Assert.All(manager.Tasks(), t => Assert.Equal(TaskState.Complete, t.DesiredState));
        manager.RunUntil(() => Complete() == 5, "all are complete");
        manager.Run(30);
        Assert.Equal(2, most);
        Assert.Equal([0ul, 1ul, 2ul, 3ul, 4ul], manager.Tasks().Select(t => t.Slot).Order().ToArray());
    }

    [Fact]
    public void A_job_s_task_that_fails_is_tried_again_in_its_slot()
    {
        bool failed = false;
        manager.FateOf = t => t.Slot == 1 && !failed ? Fate.FailsAfter(1) : Fate.CompletesAfter(2);
        Create(total: 3, concurrent: 3);
        manager.RunUntil(() => manager.Tasks().Count == 4, "the failed one is replaced");
        failed = true;
        manager.RunUntil(() => Complete() == 3, "all are complete");
        Assert.Equal(TaskState.Complete, manager.Tasks().Last(t => t.Slot == 1).Status.State);
    }

    [Fact]
    public void A_job_that_is_not_to_be_restarted_gives_up_what_failed()
    {
        manager.FateOf = t => t.Slot == 1 ? Fate.FailsAfter(1) : Fate.CompletesAfter(2);
        Create(total: 3, concurrent: 1, Condition.None);
        manager.RunUntil(() => Complete() == 2, "the others are complete");
        manager.Run(60);
        Assert.Equal(3, manager.Tasks().Count);
    }

    [Fact]
    public void A_new_iteration_starts_over_and_removes_what_the_one_before_left_running()
    {
        manager.FateOf = t => t.JobIteration?.Index is null or 0 && t.Slot == 2 ? Fate.Runs : Fate.CompletesAfter(2);
        Create(total: 3, concurrent: 3);
        manager.RunUntil(() => Complete() == 2, "two are complete");
        manager.Update(s => s.Task.ForceUpdate++);
        Assert.Equal(TaskState.Remove, manager.Tasks().Single(t => t.Slot == 2 && t.JobIteration.Index == 0).DesiredState);
        manager.RunUntil(() => manager.Tasks().Count(t => t.JobIteration.Index == 1 && t.Status.State == TaskState.Complete) == 3, "all are complete again");
    }

    [Fact]
    public void A_job_that_is_done_is_not_run_again_by_the_next_leader_nor_when_history_is_short()
    {
        manager.Write(tx =>
        {
            Cluster cluster = tx.List<Cluster>().Single().Clone();
            cluster.Spec.Orchestration.TaskHistoryRetentionLimit = 0;
            tx.Update(cluster);
        });
        Create(total: 3, concurrent: 3);
        manager.RunUntil(() => Complete() == 3, "all are complete");
        manager.StartManager();
        manager.Run(30);
        Assert.Equal(3, manager.Tasks().Count);
    }

    [Fact]
    public void A_global_job_runs_once_on_every_node_and_on_those_that_come_later()
    {
        manager.Create(s => s.GlobalJob = new());
        manager.RunUntil(() => Complete() == 3, "all are complete");
        manager.Run(20);
        Assert.Equal(["n1", "n2", "n3"], manager.Tasks().Select(t => t.NodeId).Order());
        manager.Write(tx => tx.Create(LittleManager.NewNode("n4")));
        manager.RunUntil(() => Complete() == 4, "the new node's is complete");
        manager.Update(s => s.Task.ForceUpdate++);
        manager.RunUntil(() => manager.Tasks().Count(t => t.JobIteration.Index == 1 && t.Status.State == TaskState.Complete) == 4, "all are complete again");
    }

    [Fact]
    public void The_task_of_a_job_moves_away_from_a_drained_node()
    {
        manager.FateOf = _ => Fate.CompletesAfter(10);
        Create(total: 1, concurrent: 1);
        manager.RunUntil(() => manager.Running().Count == 1, "it runs");
        string node = manager.Running()[0].NodeId;
        manager.Set(node, NodeSpec.Types.Availability.Drain);
        manager.RunUntil(() => Complete() == 1, "it is complete");
        Assert.NotEqual(node, manager.Tasks().Single(t => t.Status.State == TaskState.Complete).NodeId);
    }

    [Fact]
    public void A_task_that_completes_after_all_on_a_drained_node_makes_its_successor_needless()
    {
        manager.FateOf = _ => Fate.CompletesAfter(10);
        manager.StopsFor = TimeSpan.FromHours(1);
        Create(total: 1, concurrent: 1);
        manager.RunUntil(() => manager.Running().Count == 1, "it runs");
        SwarmTask old = manager.Running()[0];
        manager.Set(old.NodeId, NodeSpec.Types.Availability.Drain);
        Assert.NotEqual(old.Id, Assert.Single(manager.Wanted()).Id);
        manager.Write(tx =>
        {
            SwarmTask complete = tx.Get<SwarmTask>(old.Id)!.Clone();
            complete.Status.State = TaskState.Complete;
            tx.Update(complete);
        });
        Assert.Empty(manager.Wanted());
        manager.Run(30);
        Assert.Equal(2, manager.Tasks().Count);
    }

    private int Complete() => manager.Tasks().Count(t => t.Status.State == TaskState.Complete);

    private void Create(ulong total, ulong concurrent, Condition condition = Condition.OnFailure) => manager.Create(s =>
    {
        s.Task.Restart.Condition = condition;
        s.ReplicatedJob = new() { TotalCompletions = total, MaxConcurrent = concurrent };
    });
}

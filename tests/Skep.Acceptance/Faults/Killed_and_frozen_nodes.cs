using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Faults;

public sealed class Killed_and_frozen_nodes(ThreeNodes nodes) : IClassFixture<ThreeNodes>, IAsyncDisposable
{
    private const string Sleep = "exec sleep 100000";

    public ValueTask DisposeAsync() => new(nodes.TellAsync());

    [Fact]
    public async Task A_manager_killed_in_the_middle_of_an_update_resumes_it()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("roll", Sleep, "--replicas", "4");
        IReadOnlyList<SwarmTask> old = await c.RunsAsync("roll", 4);
        await c.OkAsync("service", "update", "roll", "--args", "-c,\"exec sleep 200000\"", "--update-parallelism", "1", "--update-delay", "2s");
        await Wait.Until("the first slot is updated", async () => (await c.RunningAsync("roll")).Any(t => !old.Any(o => o.Id == t.Id)));
        Assert.Equal(UpdateStatus.Types.UpdateState.Updating, (await c.ServiceAsync("roll")).UpdateStatus.State);

        await c.Manager.KillAsync();
        c.Manager.Start();
        await c.AnswersAsync();

        await Wait.Until(
            "the update completes",
            async () => (await c.ServiceAsync("roll")).UpdateStatus.State == UpdateStatus.Types.UpdateState.Completed,
            c.LogsAsync);
        IReadOnlyList<SwarmTask> now = await c.RunsAsync("roll", 4, t => !old.Any(o => o.Id == t.Id));
        Assert.Equal([1UL, 2, 3, 4], now.Select(t => t.Slot));
        Assert.All(old, t => Assert.False(Posix.Runs(t.Status.Container.Pid)));
        await c.RemoveAsync("roll");
    }

    [Fact]
    public async Task An_agent_killed_and_started_again_keeps_its_processes()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("stay", "exec sleep 314159", "--replicas", "6");
        IReadOnlyList<SwarmTask> before = await c.RunsAsync("stay", 6);
        Daemon worker = c.Daemons[1];

        await worker.KillAsync();
        worker.Start();
        await c.ReadyAsync(3);

        // A task that comes after shows that the agent has taken its work up again.
        await c.CreateAsync("after", Sleep, "--constraint", "node.hostname==" + worker.Name);
        await c.RunsAsync("after", 1);
        IReadOnlyList<SwarmTask> after = await c.RunsAsync("stay", 6);
        Assert.Equal(before.Select(t => (t.Id, t.Status.Container.Pid)), after.Select(t => (t.Id, t.Status.Container.Pid)));
        Assert.Equal(before.Select(t => t.Status.Container.Pid).Order(), Posix.WithCommandLine("sleep\0314159").Order());
        await c.RemoveAsync("after");
        await c.RemoveAsync("stay");
        Assert.Empty(Posix.WithCommandLine("sleep\0314159"));
    }

    [Fact]
    public async Task A_task_whose_process_is_killed_by_hand_is_replaced()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("shot", Sleep, "--restart-delay", "0s");
        SwarmTask first = (await c.RunsAsync("shot", 1)).Single();
        Posix.Signal(first.Status.Container.Pid, Posix.Kill);
        await c.RunsAsync("shot", 1, t => t.Id != first.Id);
        SwarmTask ended = (await c.TasksAsync("shot")).Single(t => t.Id == first.Id);
        Assert.Equal(TaskState.Failed, ended.Status.State);
        Assert.Equal(137, ended.Status.Container.ExitCode);
        await c.RemoveAsync("shot");
    }

    [Fact]
    public async Task A_worker_out_of_reach_is_DOWN_its_tasks_are_replaced_and_on_return_the_old_ones_stop()
    {
        SkepCluster c = await nodes.GetAsync();
        Daemon frozen = c.Daemons[2];
        string id = (await c.NodeAsync(frozen.Name)).Id;
        await c.CreateAsync("flee", Sleep, "--replicas", "6");
        IReadOnlyList<SwarmTask> before = await c.RunsAsync("flee", 6);
        Assert.Contains(before, t => t.NodeId == id);

        frozen.Signal(Posix.Stop);
        try
        {
            await Wait.Until("the frozen worker is DOWN", async () => (await c.NodeAsync(frozen.Name)).Status.State == NodeStatus.Types.State.Down, c.LogsAsync);
            await c.RunsAsync("flee", 6, t => t.NodeId != id);
            Assert.All(before.Where(t => t.NodeId == id), t => Assert.True(Posix.Runs(t.Status.Container.Pid)));
        }
        finally
        {
            frozen.Signal(Posix.Continue);
        }

        await c.ReadyAsync(3);
        await Wait.Until("the old tasks stop", () => before.Where(t => t.NodeId == id).All(t => !Posix.Runs(t.Status.Container.Pid)));
        Assert.Equal(6, (await c.RunningAsync("flee")).Count);
        await c.RemoveAsync("flee");
    }
}

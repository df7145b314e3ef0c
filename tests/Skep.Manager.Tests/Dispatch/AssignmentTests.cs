using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Dispatch;
using Skep.Manager.Tests.Support;

namespace Skep.Manager.Tests.Dispatch;

public sealed class AssignmentTests
{
    private const AssignmentChange.Types.AssignmentAction Update = AssignmentChange.Types.AssignmentAction.Update;
    private const AssignmentChange.Types.AssignmentAction Remove = AssignmentChange.Types.AssignmentAction.Remove;

    [Fact]
    public async Task The_first_message_is_complete_and_has_the_node_s_tasks_from_ASSIGNED_on()
    {
        await using DispatchFixture f = await StartedAsync("n1", "n2");
        await f.AddTaskAsync("assigned", "n1");
        await f.AddTaskAsync("running", "n1", TaskState.Running);
        await f.AddTaskAsync("pending", "n1", TaskState.Pending);
        await f.AddTaskAsync("another node's", "n2");

        AssignmentsMessage first = await (await OpenAsync(f)).FirstAsync("the first message");

        Assert.Equal((AssignmentsMessage.Types.Type.Complete, "", "1"), (first.Type, first.AppliesTo, first.ResultsIn));
        Assert.Equal(["assigned", "running"], first.Changes.Select(c => c.Assignment.Task.Id).Order());
    }

    [Fact]
    public async Task Later_messages_are_increments_that_name_what_they_apply_to()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        await stream.FirstAsync("the first message");

        await f.AddTaskAsync("t1", "n1");
        AssignmentsMessage second = await stream.Messages.NextAsync(f.Time, "a new task");
        await f.ChangeTaskAsync("t1", t => t.DesiredState = TaskState.Shutdown);
        AssignmentsMessage third = await stream.Messages.NextAsync(f.Time, "it is to stop");
        await f.Store.UpdateAsync(tx => tx.Remove<SwarmTask>("t1"));
        AssignmentsMessage fourth = await stream.Messages.NextAsync(f.Time, "it is gone");

        Assert.All([second, third, fourth], m => Assert.Equal(AssignmentsMessage.Types.Type.Incremental, m.Type));
        Assert.Equal([("1", "2"), ("2", "3"), ("3", "4")], new[] { second, third, fourth }.Select(m => (m.AppliesTo, m.ResultsIn)));
        Assert.Equal(TaskState.Shutdown, Assert.Single(third.Changes).Assignment.Task.DesiredState);
        Assert.Equal((Remove, "t1"), (Assert.Single(fourth.Changes).Action, fourth.Changes[0].Assignment.Task.Id));
    }

    [Fact]
    public async Task A_task_is_sent_when_the_scheduler_has_assigned_it()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.AddTaskAsync("t1", "", TaskState.Pending);
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        Assert.Empty((await stream.FirstAsync("the first message")).Changes);
        await f.ChangeTaskAsync("t1", t =>
        {
            t.NodeId = "n1";
            t.Status.State = TaskState.Assigned;
        });
        Assert.Equal("t1", Assert.Single((await stream.Messages.NextAsync(f.Time, "the task")).Changes).Assignment.Task.Id);
    }

    [Fact]
    public async Task An_agent_is_not_told_of_what_it_reported_itself()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.AddTaskAsync("t1", "n1");
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        await stream.FirstAsync("the first message");

        await f.ChangeTaskAsync("t1", t => t.Status.State = TaskState.Running);
        await f.AddTaskAsync("t2", "n1");

        Assert.Equal("t2", Assert.Single((await stream.Messages.NextAsync(f.Time, "the other task")).Changes).Assignment.Task.Id);
    }

    [Fact]
    public async Task Changes_within_a_tenth_of_a_second_go_out_together()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        await stream.FirstAsync("the first message");
        for (int i = 0; i < 50; i++)
        {
            await f.AddTaskAsync($"t{i}", "n1");
        }
        Assert.Equal(0, stream.Messages.Waiting);
        Assert.Equal(50, (await stream.Messages.NextAsync(f.Time, "all of them")).Changes.Count);
    }

    [Fact]
    public async Task A_hundred_modifications_do_not_wait()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        await stream.FirstAsync("the first message");
        await f.Store.BatchAsync(Enumerable.Range(0, 100), static (tx, i) => tx.Create(
            new SwarmTask { Id = $"t{i}", NodeId = "n1", Spec = new(), Status = new() { State = TaskState.Assigned } }));
        Assert.Equal(100, (await stream.Messages.NextAsync("they come while the clock stands still")).Changes.Count);
    }

    [Fact]
    public async Task Secrets_and_configs_come_before_the_first_task_that_uses_them_and_go_after_the_last_has_ended()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.Store.UpdateAsync(tx =>
        {
            tx.Create(new Secret { Id = "s", Spec = new() { Annotations = new() { Name = "s" } } });
            tx.Create(new Config { Id = "c", Spec = new() { Annotations = new() { Name = "c" } } });
        });
        var spec = new TaskSpec
        {
            Container = new() { Secrets = { new SecretReference { SecretId = "s" } }, Configs = { new ConfigReference { ConfigId = "c" } } },
        };
        OpenStream<AssignmentsMessage> stream = await OpenAsync(f);
        await stream.FirstAsync("the first message");

        await f.AddTaskAsync("t1", "n1", spec: spec);
        Assert.Equal([("s", Update), ("c", Update), ("t1", Update)], Shown(await stream.Messages.NextAsync(f.Time, "the first task")));
        await f.AddTaskAsync("t2", "n1", spec: spec.Clone());
        Assert.Equal([("t2", Update)], Shown(await stream.Messages.NextAsync(f.Time, "the second task")));

        await f.ChangeTaskAsync("t1", t => t.Status.State = TaskState.Failed);
        await f.Store.UpdateAsync(tx => tx.Remove<SwarmTask>("t1"));
        Assert.Equal([("t1", Remove)], Shown(await stream.Messages.NextAsync(f.Time, "the first is gone")));
        await f.ChangeTaskAsync("t2", t => t.Status.State = TaskState.Complete);
        Assert.Equal([("s", Remove), ("c", Remove)], Shown(await stream.Messages.NextAsync(f.Time, "the last has ended")));
    }

    [Fact]
    public async Task A_process_task_s_secret_comes_by_its_resource_reference()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.Store.UpdateAsync(tx => tx.Create(new Secret { Id = "s", Spec = new() { Annotations = new() { Name = "s" } } }));
        await f.AddTaskAsync("t1", "n1", spec: new()
        {
            Generic = new() { Kind = "process" },
            ResourceReferences = { new ResourceReference { ResourceId = "s", ResourceType = ResourceType.Secret } },
        });
        Assert.Equal([("s", Update), ("t1", Update)], Shown(await (await OpenAsync(f)).FirstAsync("the first message")));
    }

    [Fact]
    public async Task A_task_that_has_ended_is_listed_without_what_it_used()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.Store.UpdateAsync(tx => tx.Create(new Secret { Id = "s", Spec = new() { Annotations = new() { Name = "s" } } }));
        await f.AddTaskAsync("t1", "n1", TaskState.Failed, spec: new() { Container = new() { Secrets = { new SecretReference { SecretId = "s" } } } });
        Assert.Equal([("t1", Update)], Shown(await (await OpenAsync(f)).FirstAsync("the first message")));
    }

    [Fact]
    public async Task Assignments_without_a_session_are_refused()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        Assert.Equal("session invalid", (await f.OpenAssignments("n1", "none").EndAsync("a node that did not register")).Detail);
        Assert.Equal(StatusCode.NotFound, (await f.OpenAssignments("stranger", "none").EndAsync("an unknown node")).StatusCode);
    }

    [Fact]
    public async Task An_agent_of_1_12_gets_all_its_tasks_each_time_something_changes()
    {
        await using DispatchFixture f = await StartedAsync("n1");
        await f.AddTaskAsync("t1", "n1");
        await f.AddTaskAsync("waits", "n1", TaskState.Pending);
        OpenStream<TasksMessage> stream = f.OpenTasks("n1", await f.RegisterAsync("n1"));
        Assert.Equal(["t1"], (await stream.FirstAsync("the first list")).Tasks.Select(t => t.Id));
        await f.AddTaskAsync("t2", "n1");
        Assert.Equal(["t1", "t2"], (await stream.Messages.NextAsync(f.Time, "the second list")).Tasks.Select(t => t.Id).Order());
        await f.Store.UpdateAsync(tx => tx.Remove<SwarmTask>("t1"));
        Assert.Equal(["t2"], (await stream.Messages.NextAsync(f.Time, "the third list")).Tasks.Select(t => t.Id));
    }

    // These tests let the clock run while they wait, and no node falls silent meanwhile.
    private static async Task<DispatchFixture> StartedAsync(params string[] nodes)
    {
        var fixture = new DispatchFixture(new DispatcherOptions { HeartbeatPeriod = TimeSpan.FromDays(1_000) });
        await fixture.AddNodesAsync(nodes);
        await fixture.StartAsync();
        return fixture;
    }

    private static async Task<OpenStream<AssignmentsMessage>> OpenAsync(DispatchFixture f) => f.OpenAssignments("n1", await f.RegisterAsync("n1"));

    private static IEnumerable<(string, AssignmentChange.Types.AssignmentAction)> Shown(AssignmentsMessage message) =>
        message.Changes.Select(c => (c.Assignment.Task?.Id ?? c.Assignment.Secret?.Id ?? c.Assignment.Config.Id, c.Action));
}

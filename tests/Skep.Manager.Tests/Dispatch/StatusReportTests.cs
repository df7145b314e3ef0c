using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Dispatch;
using Skep.Manager.Tests.Support;
using TaskStatus = Docker.Swarmkit.V1.TaskStatus;

namespace Skep.Manager.Tests.Dispatch;

public sealed class StatusReportTests
{
    [Fact]
    public async Task A_report_is_in_the_store_when_it_is_answered_with_who_took_it_and_when()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1");
        await f.ReportAsync("n1", await f.RegisterAsync("n1"), "t", TaskState.Running, "started");

        TaskStatus status = f.Store.Read(v => v.Get<SwarmTask>("t"))!.Status;
        Assert.Equal((TaskState.Running, "started", DispatchFixture.Manager), (status.State, status.Message, status.AppliedBy));
        Assert.Equal(f.Time.GetUtcNow(), status.AppliedAt.ToDateTimeOffset());
    }

    [Fact]
    public async Task An_observed_state_never_goes_back()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1", TaskState.Running);
        string session = await f.RegisterAsync("n1");
        await f.ReportAsync("n1", session, "t", TaskState.Preparing);
        Assert.Equal(TaskState.Running, f.StateOf("t"));
        await f.ReportAsync("n1", session, "t", TaskState.Failed);
        Assert.Equal(TaskState.Failed, f.StateOf("t"));
    }

    [Fact]
    public async Task The_same_report_again_changes_nothing()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1");
        string session = await f.RegisterAsync("n1");
        await f.ReportAsync("n1", session, "t", TaskState.Running, "started");
        ulong version = f.Store.Version;
        await f.ReportAsync("n1", session, "t", TaskState.Running, "started");
        Assert.Equal(version, f.Store.Version);
    }

    [Fact]
    public async Task A_node_may_report_its_own_tasks_only_and_nothing_of_a_wrong_request_is_taken()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1", "n2");
        await f.AddTaskAsync("mine", "n1");
        await f.AddTaskAsync("theirs", "n2");
        string session = await f.RegisterAsync("n1");
        using Call call = Call.From("n1");
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => f.Service.UpdateTaskStatus(
            new() { SessionId = session, Updates = { Report("mine", TaskState.Running), Report("theirs", TaskState.Running) } }, call));
        Assert.Equal((StatusCode.PermissionDenied, "cannot update a task not assigned this node"), (refused.StatusCode, refused.Status.Detail));
        Assert.Equal(TaskState.Assigned, f.StateOf("mine"));
    }

    [Fact]
    public async Task A_task_that_is_gone_and_a_report_without_a_status_are_passed_over()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1");
        using Call call = Call.From("n1");
        await f.Service.UpdateTaskStatus(
            new()
            {
                SessionId = await f.RegisterAsync("n1"),
                Updates = { Report("gone", TaskState.Running), new UpdateTaskStatusRequest.Types.TaskStatusUpdate { TaskId = "t" }, Report("t", TaskState.Accepted) },
            },
            call);
        Assert.Equal(TaskState.Accepted, f.StateOf("t"));
    }

    [Fact]
    public async Task Too_many_statuses_an_unknown_state_and_another_session_are_refused()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1");
        string session = await f.RegisterAsync("n1");
        Assert.Contains("1025 statuses", await RefusalAsync(f, session, Enumerable.Repeat(Report("t", TaskState.Running), DispatcherService.MaxUpdates + 1)));
        Assert.Contains("513 is no state", await RefusalAsync(f, session, [Report("t", (TaskState)513)]));
        Assert.Equal("session invalid", await RefusalAsync(f, "another", [Report("t", TaskState.Running)]));
    }

    [Fact]
    public async Task An_endless_error_is_cut_and_the_state_is_taken()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.AddTaskAsync("t", "n1");
        await f.ReportAsync("n1", await f.RegisterAsync("n1"), "t", TaskState.Failed, new string('x', 100_000));
        TaskStatus status = f.Store.Read(v => v.Get<SwarmTask>("t"))!.Status;
        Assert.Equal((TaskState.Failed, 4097), (status.State, status.Message.Length));
    }

    [Fact]
    public async Task A_thousand_tasks_reported_one_by_one_and_all_at_once_take_no_time_to_speak_of()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        string[] ids = [.. Enumerable.Range(0, 1_000).Select(i => $"t{i}")];
        await f.Store.BatchAsync(ids, static (tx, id) => tx.Create(
            new SwarmTask { Id = id, NodeId = "n1", Spec = new(), Status = new() { State = TaskState.Assigned } }));
        string session = await f.RegisterAsync("n1");
        ulong before = f.Store.Version;

        // The clock stands still: no report waits for a batch to fill.
        await Task.WhenAll(ids.Select(id => f.ReportAsync("n1", session, id, TaskState.Preparing)));
        Assert.True(f.Store.Version - before < 1_000, "reports that come together are stored together");
        foreach (string id in ids)
        {
            await f.ReportAsync("n1", session, id, TaskState.Running);
        }
        Assert.All(ids, id => Assert.Equal(TaskState.Running, f.StateOf(id)));
    }

    [Fact]
    public async Task An_unpublished_volume_may_be_unpublished_by_the_manager_on_that_node_only()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.Store.UpdateAsync(tx => tx.Create(new Volume
        {
            Id = "v",
            Spec = new() { Annotations = new() { Name = "v" } },
            PublishStatus =
            {
                new VolumePublishStatus { NodeId = "n1", State = VolumePublishStatus.Types.State.PendingNodeUnpublish },
                new VolumePublishStatus { NodeId = "n2", State = VolumePublishStatus.Types.State.Published },
            },
        }));
        using Call call = Call.From("n1");
        await f.Service.UpdateVolumeStatus(
            new()
            {
                SessionId = await f.RegisterAsync("n1"),
                Updates = { new UpdateVolumeStatusRequest.Types.VolumeStatusUpdate { Id = "v", Unpublished = true }, new UpdateVolumeStatusRequest.Types.VolumeStatusUpdate { Id = "gone", Unpublished = true } },
            },
            call);
        Assert.Equal(
            [VolumePublishStatus.Types.State.PendingUnpublish, VolumePublishStatus.Types.State.Published],
            f.Store.Read(v => v.Get<Volume>("v"))!.PublishStatus.Select(s => s.State));
    }

    private static UpdateTaskStatusRequest.Types.TaskStatusUpdate Report(string taskId, TaskState state) =>
        new() { TaskId = taskId, Status = new() { State = state } };

    private static async Task<string> RefusalAsync(
        DispatchFixture f, string session, IEnumerable<UpdateTaskStatusRequest.Types.TaskStatusUpdate> updates)
    {
        using Call call = Call.From("n1");
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            () => f.Service.UpdateTaskStatus(new() { SessionId = session, Updates = { updates } }, call));
        Assert.Equal(StatusCode.InvalidArgument, e.StatusCode);
        return e.Status.Detail;
    }
}

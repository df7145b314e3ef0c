using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Skep.Agent.Executors;
using Skep.Agent.Tests.Support;
using Skep.Api;
using Complete = Docker.Swarmkit.V1.AssignmentsMessage.Types.Type;

namespace Skep.Agent.Tests.Session;

public sealed class SessionTests : IAsyncLifetime
{
    private FakeManager _manager = null!;

    public async ValueTask InitializeAsync() => _manager = await FakeManager.StartAsync();

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    private static SwarmTask NewTask(TaskState desired = TaskState.Running) => new()
    {
        Id = Ids.New(),
        ServiceId = "service",
        NodeId = "node",
        Spec = new TaskSpec { Container = new ContainerSpec { Image = "x" } },
        Status = new TaskStatus { State = TaskState.Assigned },
        DesiredState = desired,
    };

    private void Welcome(string session = "s1", Action<SessionMessage>? change = null)
    {
        var message = new SessionMessage { SessionId = session };
        message.Managers.Add(new WeightedPeer { Peer = new Peer { NodeId = "m1", Addr = _manager.Address }, Weight = 10 });
        change?.Invoke(message);
        _manager.Messages.Writer.TryWrite(message);
    }

    [Fact]
    public async Task The_node_registers_with_what_it_is_and_is_ready_once_it_is_taken_in()
    {
        await using var agent = new RunningAgent(_manager);
        var description = (await _manager.Sessions.UntilAsync(_ => true, "the registration")).Description;
        Assert.False(agent.Agent.Ready.IsCompleted);
        Assert.Equal("box", description.Hostname);
        Assert.Equal("linux", description.Platform.Os);
        Assert.True(description.Resources.NanoCpus > 0 && description.Resources.MemoryBytes > 0);
        Assert.Equal("ssd", description.Resources.Generic[0].DiscreteResourceSpec.Kind);
        Assert.Equal("1.0", description.Engine.EngineVersion);
        Assert.Contains(Identity.SkepMark.EngineLabel, description.Engine.Labels.Keys);
        Assert.Equal("root", description.TlsInfo.TrustRoot.ToStringUtf8());
        Welcome();
        await agent.Agent.Ready.WaitAsync(FakeManager.Patience);
    }

    [Fact]
    public async Task The_first_heartbeat_goes_out_at_once_and_the_next_after_the_period()
    {
        var time = new FakeTimeProvider();
        Welcome();
        await using var agent = new RunningAgent(_manager, time);
        await _manager.Heartbeats.CountAsync(1);
        Assert.Single(_manager.Heartbeats.All);
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => _manager.Heartbeats.All.Count > 1, atLeast: TimeSpan.FromSeconds(4));
        Assert.All(_manager.Heartbeats.All, id => Assert.Equal("s1", id));
    }

    [Theory]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.Unavailable)]
    public async Task A_failed_heartbeat_of_any_kind_makes_the_node_register_again_with_its_old_session(StatusCode code)
    {
        var failed = false;
        _manager.OnHeartbeat = () =>
        {
            var answer = failed ? StatusCode.OK : code;
            failed = true;
            return answer;
        };
        Welcome();
        await using var agent = new RunningAgent(_manager);
        await _manager.Sessions.CountAsync(2);
        Assert.Equal("s1", _manager.Sessions.All[1].SessionId);
        Welcome("s2");
        await _manager.Heartbeats.UntilAsync(id => id == "s2", "a heartbeat of the new session");
    }

    [Fact]
    public async Task A_manager_that_refuses_is_asked_again_with_growing_waits()
    {
        var time = new FakeTimeProvider();
        _manager.OnSession = () => StatusCode.Unavailable;
        await using var agent = new RunningAgent(_manager, time);
        await AdvanceUntilAsync(time, TimeSpan.FromMilliseconds(100), () => _manager.Sessions.All.Count >= 8);
        Assert.False(agent.Agent.Ready.IsCompleted);
        _manager.OnSession = () => StatusCode.OK;
        Welcome();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => agent.Agent.Ready.IsCompleted);
    }

    [Fact]
    public async Task A_manager_that_never_answers_is_given_up_after_5_seconds()
    {
        var time = new FakeTimeProvider();
        await using var agent = new RunningAgent(_manager, time);
        await _manager.Sessions.CountAsync(1);
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => _manager.Sessions.All.Count >= 2, atLeast: TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Managers_keys_node_and_roots_are_taken_from_session_messages()
    {
        await using var agent = new RunningAgent(_manager);
        Welcome(change: m =>
        {
            m.Managers.Add(new WeightedPeer { Peer = new Peer { NodeId = "m2", Addr = "10.0.0.2:4242" }, Weight = 10 });
            m.NetworkBootstrapKeys.Add(new EncryptionKey { Subsystem = "networking:gossip", LamportTime = 3 });
            m.Node = new Node { Id = "n", Spec = new NodeSpec { DesiredRole = NodeRole.Manager } };
            m.RootCA = ByteString.CopyFromUtf8("another root");
        });
        var change = await agent.Changes.UntilAsync(_ => true, "the change");
        Assert.Equal(NodeRole.Manager, change.Node!.Spec.DesiredRole);
        Assert.Equal("another root"u8, change.RootCa.Span);
        Assert.Equal("n", Assert.Single(agent.Executor.Configured).Id);
        Assert.Equal(3ul, Assert.Single(agent.Agent.NetworkBootstrapKeys).LamportTime);
        Assert.Equal(2, agent.Remotes.All.Count);
        Assert.Equal(2, (await agent.Saved.UntilAsync(s => s.Count == 2, "the saved list")).Count);

        // The same again is no change, nor is what the manager notes of the node's health.
        Welcome(change: m => m.Node = new Node { Id = "n", Spec = new NodeSpec { DesiredRole = NodeRole.Manager }, Status = new NodeStatus { Addr = "1.2.3.4" } });
        Welcome(change: m => m.Node = new Node { Id = "n", Spec = new NodeSpec(), Certificate = new Certificate { Status = new() { State = IssuanceStatus.Types.State.Rotate } } });
        var rotate = await agent.Changes.UntilAsync(c => c.Node?.Certificate is not null, "the change of the certificate");
        Assert.True(rotate.RootCa.IsEmpty);
        Assert.Equal(2, agent.Changes.All.Count);
    }

    [Fact]
    public async Task A_changed_description_is_registered_without_waiting()
    {
        Welcome();
        await using var agent = new RunningAgent(_manager);
        await agent.Agent.Ready.WaitAsync(FakeManager.Patience);
        agent.TlsInfo = new NodeTLSInfo { TrustRoot = ByteString.CopyFromUtf8("new root") };
        agent.Agent.RefreshDescription();
        var again = await _manager.Sessions.UntilAsync(s => s.Description.TlsInfo.TrustRoot.ToStringUtf8() == "new root", "the new description");
        Assert.Equal("s1", again.SessionId);
    }

    [Fact]
    public async Task Assigned_tasks_run_and_every_state_is_reported()
    {
        var task = NewTask();
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(task));
        await using var agent = new RunningAgent(_manager);
        var running = await _manager.UntilReportedAsync(task.Id, TaskState.Running);
        Assert.Equal("started", running.Message);
        Assert.Equal("c-" + task.Id, running.Container.ContainerId);

        agent.Executor.Controllers[task.Id].Ending.SetResult();
        Assert.Equal("finished", (await _manager.UntilReportedAsync(task.Id, TaskState.Complete)).Message);
        var states = _manager.Reports.All.SelectMany(r => r.Updates).Select(u => u.Status.State).ToList();
        Assert.Equal(states.Order(), states);
    }

    [Fact]
    public async Task Incremental_messages_add_change_and_take_away()
    {
        var (first, second) = (NewTask(), NewTask(TaskState.Ready));
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(first));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(first.Id, TaskState.Running);

        _manager.Assign(Complete.Incremental, "1", "2", FakeManager.Give(second));
        await _manager.UntilReportedAsync(second.Id, TaskState.Ready);
        Assert.DoesNotContain($"start {second.Id}", agent.Executor.Calls.All);

        second.DesiredState = TaskState.Running;
        _manager.Assign(Complete.Incremental, "2", "3", FakeManager.Give(second));
        await _manager.UntilReportedAsync(second.Id, TaskState.Running);

        first.DesiredState = TaskState.Shutdown;
        _manager.Assign(Complete.Incremental, "3", "4", FakeManager.Give(first));
        await _manager.UntilReportedAsync(first.Id, TaskState.Shutdown);

        _manager.Assign(Complete.Incremental, "4", "5", FakeManager.Take(first));
        await agent.Executor.Calls.UntilAsync(c => c == $"remove {first.Id}", "the removal");
        Assert.DoesNotContain($"shutdown {second.Id}", agent.Executor.Calls.All);
    }

    [Fact]
    public async Task A_gap_in_the_messages_is_not_applied_and_the_stream_is_opened_again()
    {
        var (wanted, lost) = (NewTask(), NewTask());
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(wanted));
        _manager.Assign(Complete.Incremental, "7", "8", FakeManager.Give(lost));
        await using var agent = new RunningAgent(_manager);
        await _manager.AssignmentCalls.CountAsync(2);
        _manager.Assign(Complete.Complete, "", "20", FakeManager.Give(wanted));
        _manager.Assign(Complete.Incremental, "20", "21", FakeManager.Take(wanted));
        await agent.Executor.Calls.UntilAsync(c => c == $"remove {wanted.Id}", "the removal");
        Assert.DoesNotContain(lost.Id, agent.Executor.Controllers.Keys);
        Assert.Single(_manager.Sessions.All);
    }

    [Fact]
    public async Task A_complete_message_takes_away_what_it_does_not_name()
    {
        var (kept, gone) = (NewTask(), NewTask());
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(kept), FakeManager.Give(gone));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(gone.Id, TaskState.Running);
        _manager.Assign(Complete.Complete, "1", "2", FakeManager.Give(kept));
        await agent.Executor.Calls.UntilAsync(c => c == $"remove {gone.Id}", "the removal");
        Assert.DoesNotContain($"remove {kept.Id}", agent.Executor.Calls.All);
    }

    [Fact]
    public async Task A_manager_without_Assignments_or_logs_is_asked_for_Tasks()
    {
        var task = NewTask();
        _manager.KnowsAssignments = false;
        _manager.KnowsLogs = false;
        Welcome();
        _manager.Tasks.Writer.TryWrite(new TasksMessage { Tasks = { task } });
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(task.Id, TaskState.Running);
        _manager.Tasks.Writer.TryWrite(new TasksMessage());
        await agent.Executor.Calls.UntilAsync(c => c == $"remove {task.Id}", "the removal");
        Assert.Single(_manager.Sessions.All);
    }

    [Fact]
    public async Task Secrets_and_configs_are_there_before_the_task_that_needs_them()
    {
        var task = NewTask();
        task.Spec.Container.Secrets.Add(new SecretReference { SecretId = "sec", SecretName = "key", File = new FileTarget { Name = "key" } });
        task.Spec.Container.Configs.Add(new ConfigReference { ConfigId = "conf", ConfigName = "conf", File = new FileTarget { Name = "/c" } });
        var read = new TaskCompletionSource<(string, string)>();
        Welcome();
        _manager.Assign(
            Complete.Complete,
            "",
            "1",
            FakeManager.Give(task),
            new AssignmentChange { Assignment = new Assignment { Secret = new Secret { Id = "sec", Spec = new SecretSpec { Data = ByteString.CopyFromUtf8("top") } } } },
            new AssignmentChange
            {
                Assignment = new Assignment
                {
                    Config = new Config { Id = "conf", Spec = new ConfigSpec { Templating = new Driver { Name = "golang" }, Data = ByteString.CopyFromUtf8("{{.Node.Hostname}}:{{secret \"key\"}}") } },
                },
            });
        var executor = new FakeExecutor();
        executor.OnCall = (call, controller, _) =>
        {
            if (call == "prepare")
            {
                read.SetResult((
                    System.Text.Encoding.UTF8.GetString(controller.Dependencies.GetSecret(controller.Definition.Spec.Container.Secrets[0]).Span),
                    System.Text.Encoding.UTF8.GetString(controller.Dependencies.GetConfig(controller.Definition.Spec.Container.Configs[0]).Span)));
            }

            return Task.CompletedTask;
        };
        await using var agent = new RunningAgent(_manager, executor: executor);
        Assert.Equal(("top", "box:top"), await read.Task.WaitAsync(FakeManager.Patience));
    }

    [Fact]
    public async Task Reports_outlive_the_sessions_they_could_not_be_made_in()
    {
        var task = NewTask();
        var refused = 0;
        var taken = new TaskCompletionSource();
        _manager.OnReport = r =>
        {
            if (r.Updates.All(u => u.Status.State != TaskState.Running))
            {
                return StatusCode.OK;
            }

            if (refused++ < 3)
            {
                return StatusCode.Unavailable;
            }

            taken.TrySetResult();
            return StatusCode.OK;
        };
        _manager.Greeting = (
            () => new SessionMessage { SessionId = Ids.New() },
            () => new AssignmentsMessage { Type = Complete.Complete, ResultsIn = "1", Changes = { FakeManager.Give(task) } });
        await using var agent = new RunningAgent(_manager);
        await taken.Task.WaitAsync(FakeManager.Patience);
        Assert.True(_manager.Sessions.All.Count >= 4);
        Assert.Single(agent.Executor.Calls.All, c => c == $"start {task.Id}");
    }

    [Fact]
    public async Task A_manager_that_lost_a_report_it_had_acknowledged_is_told_again()
    {
        var task = NewTask();
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(task));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(task.Id, TaskState.Running);
        var before = _manager.Reports.All.Count;
        _manager.Assign(Complete.Complete, "", "2", FakeManager.Give(task));
        await _manager.Reports.CountAsync(before + 1);
        Assert.Equal(TaskState.Running, _manager.Reports.All[^1].Updates[0].Status.State);
    }

    [Fact]
    public async Task A_status_the_manager_knows_no_task_for_is_dropped_and_the_others_are_not()
    {
        var (forgotten, known) = (NewTask(), NewTask());
        _manager.OnReport = r => r.Updates.Any(u => u.TaskId == forgotten.Id) ? StatusCode.NotFound : StatusCode.OK;
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(forgotten), FakeManager.Give(known));
        await using var agent = new RunningAgent(_manager);
        await _manager.Reports.UntilAsync(r => r.Updates.Count == 1 && r.Updates[0].TaskId == known.Id && r.Updates[0].Status.State == TaskState.Running, "the known task's report");
        Assert.Single(_manager.Sessions.All);
    }

    [Fact]
    public async Task A_restarted_agent_takes_its_tasks_up_again_without_touching_what_runs()
    {
        var task = NewTask();
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(task));
        string folder;
        await using (var agent = new RunningAgent(_manager))
        {
            folder = agent.Folder;
            await _manager.UntilReportedAsync(task.Id, TaskState.Running);
        }

        _manager.OnSession = () => StatusCode.Unavailable;
        await using var again = new RunningAgent(_manager, folder: folder);
        await again.Executor.Calls.UntilAsync(c => c == $"wait {task.Id}", "the watch over the running task");
        await again.Executor.Calls.UntilAsync(c => c == "orphans", "the look for leftovers");
        Assert.Equal([task.Id], again.Executor.Known!);
        Assert.DoesNotContain($"start {task.Id}", again.Executor.Calls.All);
        Assert.DoesNotContain($"prepare {task.Id}", again.Executor.Calls.All);

        // What happened while no manager was there is reported once one is.
        again.Executor.Controllers[task.Id].Ending.SetException(new TaskExitedException(3));
        _manager.Messages = System.Threading.Channels.Channel.CreateUnbounded<SessionMessage>();
        _manager.OnSession = () => StatusCode.OK;
        Welcome("s2");
        var failed = await _manager.UntilReportedAsync(task.Id, TaskState.Failed);
        Assert.Equal(("task: non-zero exit (3)", 3), (failed.Err, failed.Container.ExitCode));
    }

    [Fact]
    public async Task A_task_no_executor_takes_is_rejected_with_the_reason()
    {
        var task = NewTask();
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(task));
        var executor = new FakeExecutor { Refuse = _ => new TaskRejectedException("isolation: only Windows knows it") };
        await using var agent = new RunningAgent(_manager, executor: executor);
        var rejected = await _manager.UntilReportedAsync(task.Id, TaskState.Rejected);
        Assert.Equal(("resolving controller failed", "isolation: only Windows knows it"), (rejected.Message, rejected.Err));
    }

    [Fact]
    public async Task Logs_are_sent_for_the_tasks_a_subscription_selects_and_closed_at_their_end()
    {
        var (mine, other) = (NewTask(), NewTask());
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(mine), FakeManager.Give(other));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(other.Id, TaskState.Running);
        _manager.Subscriptions.Writer.TryWrite(new SubscriptionMessage { Id = "sub", Selector = new LogSelector { TaskIds = { mine.Id } }, Options = new() });
        await _manager.Logs.UntilAsync(l => l.Close, "the end of the logs");
        var messages = _manager.Logs.All.Where(l => l.SubscriptionId == "sub").SelectMany(l => l.Messages).ToList();
        Assert.Equal([$"{mine.Id} line 0\n", $"{mine.Id} line 1\n", $"{mine.Id} line 2\n"], messages.Select(m => m.Data.ToStringUtf8()));
        Assert.All(messages, m => Assert.Equal((mine.Id, "service", "node"), (m.Context.TaskId, m.Context.ServiceId, m.Context.NodeId)));
    }

    [Fact]
    public async Task Followed_logs_take_in_later_tasks_until_the_subscription_is_closed()
    {
        var (first, later) = (NewTask(), NewTask());
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(first));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(first.Id, TaskState.Running);
        _manager.Subscriptions.Writer.TryWrite(new SubscriptionMessage { Id = "sub", Selector = new LogSelector { ServiceIds = { "service" } }, Options = new() { Follow = true } });
        await _manager.Logs.UntilAsync(l => l.Messages.Any(m => m.Context.TaskId == first.Id), "the first task's log");
        _manager.Assign(Complete.Incremental, "1", "2", FakeManager.Give(later));
        await _manager.Logs.UntilAsync(l => l.Messages.Any(m => m.Context.TaskId == later.Id), "the later task's log");
        Assert.DoesNotContain(_manager.Logs.All, l => l.Close);
        _manager.Subscriptions.Writer.TryWrite(new SubscriptionMessage { Id = "sub", Close = true });
        await _manager.Logs.UntilAsync(l => l.Close, "the end of the logs");
    }

    [Fact]
    public async Task A_node_that_leaves_removes_its_tasks()
    {
        var task = NewTask();
        Welcome();
        _manager.Assign(Complete.Complete, "", "1", FakeManager.Give(task));
        await using var agent = new RunningAgent(_manager);
        await _manager.UntilReportedAsync(task.Id, TaskState.Running);
        agent.Agent.Leave();
        await agent.Ended.WaitAsync(FakeManager.Patience);
        Assert.Contains($"remove {task.Id}", agent.Executor.Calls.All);
    }

    // Timers are set by loops that run beside the test, so time moves in steps until what it should bring has come.
    private static async Task AdvanceUntilAsync(FakeTimeProvider time, TimeSpan step, Func<bool> done, TimeSpan atLeast = default)
    {
        var start = time.GetUtcNow();
        using var deadline = new CancellationTokenSource(FakeManager.Patience);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!done())
        {
            await pace.WaitForNextTickAsync(deadline.Token);
            if (!done())
            {
                time.Advance(step);
            }
        }

        Assert.True(time.GetUtcNow() - start >= atLeast, $"it came after {time.GetUtcNow() - start}, expected no sooner than {atLeast}");
    }
}

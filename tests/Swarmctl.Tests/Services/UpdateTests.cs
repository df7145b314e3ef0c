using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Services;

/// <summary><c>service update</c> changes what its flags name and nothing else.</summary>
public sealed class UpdateTests : IAsyncLifetime
{
    private readonly FakeManager _manager = new();
    private Service _service = new();

    public async ValueTask InitializeAsync()
    {
        await _manager.StartAsync();
        _service = _manager.Control.AddService(3, "3.0.5", "");
        _service.Spec.Task.LogDriver = new() { Name = "json-file", Options = { ["max-size"] = "1m" } };
        _service.Spec.Annotations.Labels["team"] = "blue";
    }

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Fact]
    public async Task Without_a_flag_there_is_nothing_to_do()
    {
        (await RunAsync("")).Fails("no changes detected");
        Assert.Empty(_manager.Control.Changes);
    }

    [Fact]
    public async Task A_value_that_is_there_already_is_no_change() => (await RunAsync("--replicas 3")).Fails("no changes detected");

    [Fact]
    public async Task What_no_flag_names_stays_as_it_is()
    {
        ServiceSpec expected = _service.Spec.Clone();
        expected.Task.Container.Image = "redis:3.0.6";
        Assert.Equal(expected, await SentAsync("--image redis:3.0.6"));
    }

    [Fact]
    public async Task Lists_are_replaced_and_mounts_added()
    {
        _service.Spec.Task.Container.Env.Add("OLD=1");
        _service.Spec.Task.Container.Mounts.Add([new Mount { Target = "/a", Source = "/old" }, new Mount { Target = "/b", Source = "/kept" }]);
        ContainerSpec sent = (await SentAsync("--env NEW=1 --bind /new:/a")).Task.Container;
        Assert.Equal(["NEW=1"], sent.Env);
        Assert.Equal(["/kept", "/new"], sent.Mounts.Select(m => m.Source));
    }

    [Fact]
    public async Task A_version_that_somebody_else_changed_is_read_again_once()
    {
        _manager.Control.AnswerStale(1);
        (await RunAsync("--replicas 4")).Succeeds();
        Assert.Equal(2, _manager.Control.Changes.Count);

        _manager.Control.AnswerStale(2);
        (await RunAsync("--replicas 5")).Fails("rpc error: code = Unknown desc = update out of sequence");
        Assert.Equal(4, _manager.Control.Changes.Count);
    }

    [Fact]
    public async Task An_update_that_the_lost_leader_did_not_make_is_sent_again()
    {
        _manager.Control.LoseAnswer();
        (await RunAsync("--replicas 4")).Succeeds();
        Assert.Equal(2, _manager.Control.Changes.Count);
        Assert.Equal(_manager.Control.Changes[0], _manager.Control.Changes[1]);
    }

    [Fact]
    public async Task An_update_that_the_lost_leader_had_made_is_not_made_twice()
    {
        _manager.Control.OnLostAnswer = () => Made(s => s.Replicated.Replicas = 4);
        _manager.Control.LoseAnswer();
        (await RunAsync("--replicas 4")).Succeeds();
        Assert.Single(_manager.Control.Changes);
    }

    [Fact]
    public async Task An_update_of_which_nobody_can_tell_whether_it_was_made_fails_with_what_the_manager_said()
    {
        _manager.Control.OnLostAnswer = () => Made(s => s.Replicated.Replicas = 9);
        _manager.Control.LoseAnswer();
        (await RunAsync("--replicas 4")).Fails("whether the command was taken is not known");

        // A second rollback would undo the first.
        _manager.Control.OnLostAnswer = () => Made(_ => { });
        _manager.Control.LoseAnswer();
        (await RunAsync("--rollback")).Fails("whether the command was taken is not known");
        Assert.Equal(2, _manager.Control.Changes.Count);
    }

    private void Made(Action<ServiceSpec> change)
    {
        _service.Meta = new() { Version = new() { Index = (_service.Meta?.Version?.Index ?? 0) + 1 } };
        _service.Spec = _service.Spec.Clone();
        change(_service.Spec);
    }

    [Fact]
    public async Task Force_starts_tasks_again_without_a_change() => Assert.Equal(1UL, (await SentAsync("--force")).Task.ForceUpdate);

    [Fact]
    public async Task A_rollback_asks_for_the_spec_before()
    {
        (await RunAsync("--rollback")).Succeeds();
        Assert.Equal(UpdateServiceRequest.Types.Rollback.Previous, Assert.IsType<UpdateServiceRequest>(_manager.Control.Changes[^1]).Rollback);
    }

    [Fact]
    public async Task Capabilities_and_secrets_come_and_go()
    {
        _manager.Control.Secrets.Add(new Secret { Id = "s1", Spec = new() { Annotations = new() { Name = "new" } } });
        ContainerSpec container = _service.Spec.Task.Container;
        container.CapabilityAdd.Add("CAP_KILL");
        container.Secrets.Add(new SecretReference { SecretId = "s0", SecretName = "old" });
        ContainerSpec sent = (await SentAsync("--add-capability net_admin --rm-capability kill,chown --add-secret new --rm-secret old")).Task.Container;
        Assert.Equal(["CAP_NET_ADMIN"], sent.CapabilityAdd);
        Assert.Equal(["CAP_CHOWN"], sent.CapabilityDrop);
        Assert.Equal(["new"], sent.Secrets.Select(r => r.SecretName));
    }

    [Fact]
    public async Task Replicas_are_not_for_global_services()
    {
        _service.Spec.Global = new();
        (await RunAsync("--replicas 4")).Fails("--replicas can only be specified in --mode replicated");
    }

    [Fact]
    public async Task Progress_is_one_line_a_change_until_the_service_has_settled()
    {
        _service.SpecVersion = new() { Index = 41 };
        _manager.Control.Tasks.Add(Task("t1", TaskState.Preparing));
        _service.Spec.Replicated.Replicas = 1;
        int polls = 0;
        _manager.Control.OnListTasks = () =>
        {
            _manager.Control.Tasks[0].Status.State = ++polls < 3 ? TaskState.Starting : TaskState.Running;
            _manager.Clock.Advance(TimeSpan.FromSeconds(1));
        };
        CommandResult result = (await RunAsync("--image redis:3.0.6 --detach=false")).Succeeds();
        Assert.Equal($"{RedisCluster.ServiceId}\n1: preparing\n0/1 running\n1: starting\n1: running\n1/1 running\n", result.Output);
    }

    [Fact]
    public async Task Progress_fails_when_the_update_pauses()
    {
        _service.UpdateStatus = new() { State = UpdateStatus.Types.UpdateState.Paused, Message = "update paused due to failure or early termination of task t1" };
        CommandResult result = await RunAsync("--image redis:3.0.6 --detach=false");
        Assert.Equal(
            (255, "Error: redis: update paused due to failure or early termination of task t1; `swarmctl service why redis` explains\n"),
            (result.ExitCode, result.Errors));
        Assert.StartsWith(RedisCluster.ServiceId, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_that_goes_nowhere_says_who_explains_it()
    {
        _service.SpecVersion = new() { Index = 41 };
        _service.Spec.Replicated.Replicas = 1;
        SwarmTask first = Task("t1", TaskState.Rejected), second = Task("t2", TaskState.Rejected), third = Task("t3", TaskState.Preparing);
        first.DesiredState = second.DesiredState = TaskState.Shutdown;
        first.Status.Err = second.Status.Err = "no such program";
        _manager.Control.Tasks.Add(first);
        _manager.Control.Tasks.Add(third);
        int polls = 0;
        _manager.Control.OnListTasks = () =>
        {
            if (++polls == 2)
            {
                _manager.Control.Tasks.Add(second);
            }
            third.Status.State = polls < 4 ? TaskState.Preparing : TaskState.Running;
            _manager.Clock.Advance(TimeSpan.FromSeconds(1));
        };
        CommandResult result = (await RunAsync("--image redis:3.0.6 --detach=false")).Succeeds();
        Assert.Equal(
            $"{RedisCluster.ServiceId}\n1: preparing\n0/1 running\n0/1 running; tasks end as soon as they start: `swarmctl service why redis` explains\n1: running\n1/1 running\n",
            result.Output);
    }

    private SwarmTask Task(string id, TaskState state) => new()
    {
        Id = id,
        Slot = 1,
        ServiceId = RedisCluster.ServiceId,
        SpecVersion = new() { Index = 41 },
        Spec = _service.Spec.Task,
        DesiredState = TaskState.Running,
        Meta = new() { CreatedAt = Timestamp.FromDateTimeOffset(RedisCluster.Start) },
        Status = new() { State = state },
    };

    private async Task<ServiceSpec> SentAsync(string flags)
    {
        (await RunAsync(flags)).Succeeds();
        return Assert.IsType<UpdateServiceRequest>(_manager.Control.Changes[^1]).Spec;
    }

    private Task<CommandResult> RunAsync(string flags) => _manager.RunAsync(["service", "update", "redis", .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
}

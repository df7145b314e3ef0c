using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;

namespace Skep.Manager.Tests.Orchestration;

public sealed class ServiceDefaultsTests
{
    [Fact]
    public void An_empty_spec_means_what_SwarmKit_takes_it_for()
    {
        ServiceSpec full = ServiceDefaults.Interpolate(new() { Task = new() { Container = new() { Image = "redis" } } });
        Assert.Equal(TimeSpan.FromSeconds(10), full.Task.Container.StopGracePeriod.ToTimeSpan());
        Assert.Equal(RestartPolicy.Types.RestartCondition.Any, full.Task.Restart.Condition);
        Assert.Equal(TimeSpan.FromSeconds(5), full.Task.Restart.Delay.ToTimeSpan());
        foreach (UpdateConfig config in new[] { full.Update, full.Rollback })
        {
            Assert.Equal(1u, config.Parallelism);
            Assert.Equal(TimeSpan.FromSeconds(5), config.Monitor.ToTimeSpan());
            Assert.Equal(UpdateConfig.Types.FailureAction.Pause, config.FailureAction);
            Assert.Equal(UpdateConfig.Types.UpdateOrder.StopFirst, config.Order);
        }
        Assert.NotNull(full.Task.Placement);
        Assert.NotNull(full.Task.Resources);
    }

    [Fact]
    public void What_is_said_stays_and_the_spec_itself_is_untouched()
    {
        var spec = new ServiceSpec
        {
            Task = new() { Container = new() { StopGracePeriod = new Duration { Seconds = 1 } }, Restart = new() { Condition = RestartPolicy.Types.RestartCondition.None } },
            Update = new() { Parallelism = 0 },
        };
        ServiceSpec before = spec.Clone();
        ServiceSpec full = ServiceDefaults.Interpolate(spec);
        Assert.Equal(before, spec);
        Assert.Equal(TimeSpan.FromSeconds(1), full.Task.Container.StopGracePeriod.ToTimeSpan());
        Assert.Equal(RestartPolicy.Types.RestartCondition.None, full.Task.Restart.Condition);
        Assert.Equal(0u, full.Update.Parallelism);
        Assert.Equal(TimeSpan.FromSeconds(5), full.Update.Monitor.ToTimeSpan());
    }

    [Fact]
    public void A_task_without_container_gets_none() =>
        Assert.Equal(TaskSpec.RuntimeOneofCase.Generic, ServiceDefaults.Interpolate(new() { Task = new() { Generic = new() { Kind = "process" } } }).Task.RuntimeCase);

    [Fact]
    public void A_duration_that_is_none_counts_as_absent()
    {
        Assert.Equal(TimeSpan.FromSeconds(5), ServiceDefaults.TimeOf(null, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(5), ServiceDefaults.TimeOf(new Duration { Seconds = -1 }, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(5), ServiceDefaults.TimeOf(new Duration { Nanos = int.MaxValue }, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(2), ServiceDefaults.TimeOf(new Duration { Seconds = 2 }, TimeSpan.FromSeconds(5)));
    }
}

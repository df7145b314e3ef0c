using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Api;

/// <summary>
/// What a service spec means where it says nothing. The defaults are filled in when a spec is read and are never stored, so
/// that what a user wrote stays what the user wrote. The values are SwarmKit's (api/defaults/service.go).
/// </summary>
public static class ServiceDefaults
{
    /// <summary>How long a container has between the stop signal and the kill: 10 s.</summary>
    public static readonly TimeSpan StopGracePeriod = TimeSpan.FromSeconds(10);

    /// <summary>How long a slot waits before its next task starts: 5 s.</summary>
    public static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(5);

    /// <summary>How long an updated task is watched for failure: 5 s.</summary>
    public static readonly TimeSpan UpdateMonitor = TimeSpan.FromSeconds(5);

    /// <summary>Which ends of a task are followed by a new one: all.</summary>
    public const RestartPolicy.Types.RestartCondition RestartCondition = RestartPolicy.Types.RestartCondition.Any;

    /// <summary>How many slots are updated at a time: 1. (A parallelism of 0 that was asked for means all at once.)</summary>
    public const ulong UpdateParallelism = 1;

    /// <summary>A new copy of the default update and rollback settings: one slot at a time, monitored 5 s, stop first, pause on failure.</summary>
    public static UpdateConfig NewUpdateConfig() => new()
    {
        Parallelism = UpdateParallelism,
        Monitor = Duration.FromTimeSpan(UpdateMonitor),
        FailureAction = UpdateConfig.Types.FailureAction.Pause,
        Order = UpdateConfig.Types.UpdateOrder.StopFirst,
    };

    /// <summary>A new copy of the default restart policy: any, after 5 s.</summary>
    public static RestartPolicy NewRestartPolicy() => new()
    {
        Condition = RestartCondition,
        Delay = Duration.FromTimeSpan(RestartDelay),
    };

    /// <summary>A copy of a spec with every default filled in; what GetService gives with <c>insert_defaults</c>.</summary>
    public static ServiceSpec Interpolate(ServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ServiceSpec full = spec.Clone();
        TaskSpec task = full.Task ??= new();
        if (task.Container is { } container)
        {
            container.StopGracePeriod ??= Duration.FromTimeSpan(StopGracePeriod);
            container.PullOptions ??= new();
            container.DnsConfig ??= new();
        }
        task.Resources ??= new();
        task.Placement ??= new();
        task.Restart ??= NewRestartPolicy();
        task.Restart.Delay ??= Duration.FromTimeSpan(RestartDelay);
        full.Update ??= NewUpdateConfig();
        full.Update.Monitor ??= Duration.FromTimeSpan(UpdateMonitor);
        full.Rollback ??= NewUpdateConfig();
        full.Rollback.Monitor ??= Duration.FromTimeSpan(UpdateMonitor);
        return full;
    }

    /// <summary>How long a container of this spec has between the stop signal and the kill.</summary>
    public static TimeSpan StopGracePeriodOf(TaskSpec? spec) => TimeOf(spec?.Container?.StopGracePeriod, StopGracePeriod);

    /// <summary>When a task of this spec is followed by a new one.</summary>
    public static RestartPolicy.Types.RestartCondition RestartConditionOf(TaskSpec? spec) => spec?.Restart?.Condition ?? RestartCondition;

    /// <summary>How long a slot waits before its next task starts.</summary>
    public static TimeSpan RestartDelayOf(TaskSpec? spec) => TimeOf(spec?.Restart?.Delay, RestartDelay);

    /// <summary>A duration from the wire, or the default where it is absent, negative or out of range.</summary>
    public static TimeSpan TimeOf(Duration? duration, TimeSpan absent)
    {
        if (duration is null || duration.Seconds < 0 || duration.Nanos is < 0 or > 999_999_999 || duration.Seconds > Duration.MaxSeconds)
        {
            return absent;
        }
        return duration.ToTimeSpan();
    }
}

using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Manager.Orchestration;

/// <summary>How an update or a rollback goes, defaults filled in.</summary>
/// <param name="Parallelism">Slots at a time; as many as there are for 0 on the wire.</param>
/// <param name="Delay">The pause after each slot.</param>
/// <param name="Monitor">How long a new task that runs may still fail the update.</param>
/// <param name="MaxFailureRatio">The part of the slots that may fail.</param>
/// <param name="OnFailure">What to do when more fail.</param>
/// <param name="StartFirst">Whether the new task runs before the old one stops.</param>
internal sealed record UpdateSettings(
    int Parallelism,
    TimeSpan Delay,
    TimeSpan Monitor,
    float MaxFailureRatio,
    UpdateConfig.Types.FailureAction OnFailure,
    bool StartFirst)
{
    /// <summary>The settings a service has for updates, or for rollbacks.</summary>
    public static UpdateSettings Of(ServiceSpec spec, bool rollback)
    {
        UpdateConfig config = (rollback ? spec.Rollback : spec.Update) ?? ServiceDefaults.NewUpdateConfig();
        TimeSpan delay = ServiceDefaults.TimeOf(config.Delay, TimeSpan.Zero);
        TimeSpan monitor = ServiceDefaults.TimeOf(config.Monitor, ServiceDefaults.UpdateMonitor);
        if (delay >= monitor)
        {
            // Or a failure in the pause after a slot would be seen only when the next one is under way (as SwarmKit does).
            monitor = delay + TimeSpan.FromSeconds(1);
        }
        return new(
            config.Parallelism is 0 or > int.MaxValue ? int.MaxValue : (int)config.Parallelism,
            delay,
            monitor,
            config.MaxFailureRatio,
            config.FailureAction,
            config.Order == UpdateConfig.Types.UpdateOrder.StartFirst);
    }
}

using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Whether a slot counts as filled.</summary>
internal static class SlotStanding
{
    /// <summary>
    /// The tasks that fill a slot: those wanted to run, else the last one where the policy gives it no successor (an update
    /// still replaces it). Empty for a slot to be filled anew. While a service is rolled back, slots that were given up are
    /// filled anew too, so that it comes back whole.
    /// </summary>
    public static IReadOnlyList<PlannedTask> Filling(ServicePlan plan, Slot slot)
    {
        List<PlannedTask> wanted = [.. slot.Wanted];
        if (wanted.Count > 0)
        {
            return wanted;
        }
        bool rollingBack = plan.Service.UpdateStatus?.State == UpdateStatus.Types.UpdateState.RollbackStarted;
        return !rollingBack && slot.Newest is { } last && !plan.Memory.HistoryOf(slot).MayRestart(last.Task) ? [last] : [];
    }
}

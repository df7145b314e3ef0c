using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Brings the slots of one service to its spec, a few at a time: a state machine that is stepped with what the store says and
/// the time, and writes what to do into the plan (facts: moby/swarmkit manager/orchestrator/update). Its life is one spec; a
/// new spec gets a new one, and a new leader rebuilds it from the tasks the update has made so far.
/// </summary>
internal sealed class Updater
{
    private readonly ServiceSpec spec;
    private readonly UpdateSettings settings;
    private readonly bool rollback;
    private readonly bool silent;
    private readonly int total;
    private readonly Dictionary<SlotKey, UpdatedSlot> working = [];
    private readonly HashSet<SlotKey> done = [];
    private readonly UpdatedTasks made = new();
    private bool failed;
    private DateTimeOffset? lastDoneAt;

    private Updater(Service service, bool silent, int total)
    {
        spec = service.Spec;
        rollback = IsRollback(service);
        settings = UpdateSettings.Of(spec, rollback);
        this.silent = silent;
        this.total = total;
    }

    /// <summary>Starts an update, or takes over one that another leader has begun.</summary>
    /// <param name="plan">The plan; the update's start is written into it.</param>
    /// <param name="slots">Every slot the service keeps.</param>
    /// <param name="dirty">Those that are not as the spec says.</param>
    /// <param name="check">Tells a task of the spec from others.</param>
    public static Updater Begin(ServicePlan plan, IReadOnlyCollection<Slot> slots, IReadOnlyCollection<Slot> dirty, DirtyCheck check)
    {
        Service service = plan.Service;
        if (service.UpdateStatus is not { State: UpdateStatus.Types.UpdateState.Updating or UpdateStatus.Types.UpdateState.RollbackStarted } status)
        {
            // An update that is over leaves its status; what is left to do then, such as a node that was paused meanwhile, goes
            // on without a word.
            bool silent = service.UpdateStatus is not null;
            if (!silent)
            {
                plan.Update(UpdateTransition.Start, UpdateWords.Started);
            }
            return new(service, silent, dirty.Count);
        }
        DateTimeOffset since = status.StartedAt?.ToDateTimeOffset() ?? plan.Now;
        var begun = slots
            .Except(dirty)
            .Select(slot => (Slot: slot, Task: slot.Tasks.Find(t => t.Task.CreatedAt() >= since && !check.IsDirty(t.Task, plan.NodeOf(t)))))
            .Where(static s => s.Task is not null)
            .ToList();
        var updater = new Updater(service, false, dirty.Count + begun.Count);
        foreach ((Slot slot, PlannedTask? task) in begun)
        {
            updater.TakeOver(plan, slot, task!);
        }
        return updater;
    }

    /// <summary>Whether this is the update to the service's spec as it is now.</summary>
    public bool IsFor(Service service) =>
        rollback == IsRollback(service)
        && (silent || service.UpdateStatus is not null)
        && (ReferenceEquals(spec, service.Spec) || spec.Equals(service.Spec));

    /// <summary>Whether the update is over and can be forgotten.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Goes on as far as it can now.</summary>
    public void Step(ServicePlan plan, IReadOnlyDictionary<SlotKey, Slot> slots, IReadOnlyCollection<Slot> dirty, DirtyCheck check)
    {
        made.Observe(slots, plan.Now);
        foreach (UpdatedSlot slot in working.Values.ToList())
        {
            if (slot.Step(plan, slots.GetValueOrDefault(slot.Key), settings, made, check))
            {
                working.Remove(slot.Key);
                lastDoneAt = plan.Now;
            }
        }
        if (!failed)
        {
            failed = HasFailed(plan);
        }
        if (failed)
        {
            // What was begun is brought to its end, nothing new is.
            IsOver = working.Count == 0;
            return;
        }
        foreach (Slot slot in dirty)
        {
            if (working.Count >= settings.Parallelism)
            {
                break;
            }
            if (!working.ContainsKey(slot.Key) && done.Add(slot.Key))
            {
                working.Add(slot.Key, UpdatedSlot.Begin(plan, slot, settings, made));
            }
        }
        if (working.Count == 0)
        {
            Monitor(plan);
        }
    }

    private static bool IsRollback(Service service) => service.UpdateStatus?.State is
        UpdateStatus.Types.UpdateState.RollbackStarted
        or UpdateStatus.Types.UpdateState.RollbackPaused
        or UpdateStatus.Types.UpdateState.RollbackCompleted;

    private void TakeOver(ServicePlan plan, Slot slot, PlannedTask task)
    {
        done.Add(slot.Key);
        made.TakeOver(slot.Key, task, settings.Monitor);
        if (made.LastRunningAt is { } ran)
        {
            lastDoneAt = ran + settings.Delay;
        }
        if (!task.HasEnded && task.IsWanted)
        {
            UpdatedSlot work = UpdatedSlot.TakeOver(slot, task, settings);
            if (task.Observed < TaskState.Running || work.PausedUntil > plan.Now)
            {
                working[slot.Key] = work;
            }
        }
    }

    private bool HasFailed(ServicePlan plan)
    {
        if (silent || settings.OnFailure == UpdateConfig.Types.FailureAction.Continue)
        {
            return false;
        }
        foreach (string taskId in made.NewFailures(plan.Now, settings.Monitor))
        {
            if ((float)made.Failures / Math.Max(total, 1) <= settings.MaxFailureRatio)
            {
                continue;
            }
            bool canRollBack = !rollback && plan.Service.PreviousSpec is not null;
            if (settings.OnFailure == UpdateConfig.Types.FailureAction.Rollback && canRollBack)
            {
                plan.Update(UpdateTransition.RollBack, UpdateWords.RolledBack(taskId));
            }
            else
            {
                // A rollback is never rolled back, nor is a service that had no other spec.
                plan.Update(UpdateTransition.Pause, rollback ? UpdateWords.RollbackPaused(taskId) : UpdateWords.Paused(taskId));
            }
            return true;
        }
        return false;
    }

    private void Monitor(ServicePlan plan)
    {
        // Without anything done there is nothing to watch.
        DateTimeOffset until = lastDoneAt is { } last ? last + settings.Monitor : plan.Now;
        if (silent || until <= plan.Now)
        {
            IsOver = true;
            if (!silent)
            {
                plan.Update(UpdateTransition.Complete, rollback ? UpdateWords.RollbackCompleted : UpdateWords.Completed);
            }
        }
        else
        {
            plan.Wake(until);
        }
    }
}

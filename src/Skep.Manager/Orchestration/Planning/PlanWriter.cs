using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Writes the steps of a plan into a transaction. The store may have moved on since the plan was made, so every step looks
/// again: nothing goes backwards, and nothing is made for what is gone.
/// </summary>
internal static class PlanWriter
{
    /// <summary>Writes one step.</summary>
    public static void Write(WriteTransaction tx, PlanStep step, DateTimeOffset now)
    {
        switch (step)
        {
            case TaskStep tasks:
                WriteTasks(tx, tasks);
                break;
            case UpdateStep update:
                WriteUpdate(tx, update, Timestamp.FromDateTimeOffset(now));
                break;
            case RemoveServiceStep remove:
                if (tx.Get<Service>(remove.ServiceId) is { PendingDelete: true } && !tx.TasksByService(remove.ServiceId).Any())
                {
                    tx.Remove<Service>(remove.ServiceId);
                }
                break;
        }
    }

    private static void WriteTasks(WriteTransaction tx, TaskStep step)
    {
        foreach (TaskMove move in step.Move)
        {
            if (tx.Get<SwarmTask>(move.TaskId) is { } task && task.DesiredState < move.Desired)
            {
                task = task.Clone();
                task.DesiredState = move.Desired;
                tx.Update(task);
            }
        }
        if (step.Create.Count > 0 && tx.Get<Service>(step.ServiceId) is not null)
        {
            foreach (SwarmTask task in step.Create)
            {
                tx.Create(task);
            }
        }
    }

    private static void WriteUpdate(WriteTransaction tx, UpdateStep step, Timestamp now)
    {
        if (tx.Get<Service>(step.ServiceId) is not { } service
            || !step.Spec.Equals(service.Spec)
            || service.UpdateStatus is null != (step.Transition == UpdateTransition.Start))
        {
            return;
        }
        service = service.Clone();
        UpdateStatus status = service.UpdateStatus ??= new();
        bool rollback = status.State == UpdateStatus.Types.UpdateState.RollbackStarted;
        status.Message = step.Message;
        switch (step.Transition)
        {
            case UpdateTransition.Start:
                status.State = UpdateStatus.Types.UpdateState.Updating;
                status.StartedAt = now;
                break;
            case UpdateTransition.Complete:
                status.State = rollback ? UpdateStatus.Types.UpdateState.RollbackCompleted : UpdateStatus.Types.UpdateState.Completed;
                status.CompletedAt = now;
                break;
            case UpdateTransition.Pause:
                status.State = rollback ? UpdateStatus.Types.UpdateState.RollbackPaused : UpdateStatus.Types.UpdateState.Paused;
                break;
            case UpdateTransition.RollBack:
                status.State = UpdateStatus.Types.UpdateState.RollbackStarted;
                service.Spec = service.PreviousSpec;
                service.SpecVersion = service.PreviousSpecVersion;
                service.PreviousSpec = null;
                service.PreviousSpecVersion = null;
                break;
        }
        tx.Update(service);
    }
}

using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>
/// What is to happen to one service now, and when to look again. The parts of the orchestration write into it in turn; it has
/// no clock, no randomness and no store of its own.
/// </summary>
internal sealed class ServicePlan
{
    private readonly List<PlanStep> steps = [];
    private readonly Func<string> newId;

    /// <summary>An empty plan.</summary>
    /// <param name="snapshot">What the store says.</param>
    /// <param name="memory">What is remembered of the service between plans.</param>
    /// <param name="now">The time.</param>
    /// <param name="newId">Gives ids of new tasks.</param>
    public ServicePlan(ServiceSnapshot snapshot, ServiceMemory memory, DateTimeOffset now, Func<string> newId)
    {
        Snapshot = snapshot;
        Memory = memory;
        Now = now;
        this.newId = newId;
    }

    /// <summary>What the store says.</summary>
    public ServiceSnapshot Snapshot { get; }

    /// <summary>The service; only for plans of a service that is there.</summary>
    public Service Service => Snapshot.Service ?? throw new InvalidOperationException($"service {Snapshot.ServiceId} is gone");

    /// <summary>What is remembered of the service between plans.</summary>
    public ServiceMemory Memory { get; }

    /// <summary>The time.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>When to plan again even if nothing changes, or null.</summary>
    public DateTimeOffset? WakeAt { get; private set; }

    /// <summary>What to write, in order.</summary>
    public IReadOnlyList<PlanStep> Steps => steps;

    /// <summary>The state a task of this service is wanted in in the end.</summary>
    public TaskState Goal => Service.Spec.ModeCase is ServiceSpec.ModeOneofCase.ReplicatedJob or ServiceSpec.ModeOneofCase.GlobalJob
        ? TaskState.Complete
        : TaskState.Running;

    /// <summary>Plan again at this time at the latest.</summary>
    public void Wake(DateTimeOffset at)
    {
        if (WakeAt is null || at < WakeAt)
        {
            WakeAt = at;
        }
    }

    /// <summary>Moves a task's desired state on; a state it has reached or passed already is left.</summary>
    public void Move(PlannedTask task, TaskState desired)
    {
        if (task.Desired < desired)
        {
            task.Desired = desired;
            steps.Add(new TaskStep(Snapshot.ServiceId, [], [new(task.Id, desired)]));
        }
    }

    /// <summary>Puts a new task into a slot.</summary>
    public PlannedTask Create(Slot slot, TaskState desired) => Replace(slot, [], desired);

    /// <summary>Puts a new task into a slot and shuts others down, in one step. It is held up by nothing but them.</summary>
    public PlannedTask Replace(Slot slot, IEnumerable<PlannedTask> old, TaskState desired)
    {
        var moves = new List<TaskMove>();
        foreach (PlannedTask task in old)
        {
            if (task.Desired >= TaskState.Shutdown)
            {
                continue;
            }
            if (moves.Count == TaskStep.MaxChanges - 1)
            {
                // A slot never has so many; were it so, the rest goes on its own.
                Move(task, TaskState.Shutdown);
                continue;
            }
            task.Desired = TaskState.Shutdown;
            moves.Add(new(task.Id, TaskState.Shutdown));
        }
        var added = new PlannedTask(NewTask.Of(Service, Snapshot.Cluster, slot.Key, desired, newId(), Now));
        slot.Tasks.Add(added);
        Memory.Hold(added.Id, Now);
        steps.Add(new TaskStep(Snapshot.ServiceId, [added.Task], moves));
        return added;
    }

    /// <summary>Moves the service's update on.</summary>
    public void Update(UpdateTransition transition, string message) =>
        steps.Add(new UpdateStep(Snapshot.ServiceId, Service.Spec, transition, message));

    /// <summary>Removes the service itself.</summary>
    public void RemoveService() => steps.Add(new RemoveServiceStep(Snapshot.ServiceId));

    /// <summary>The node a task was given to, or null.</summary>
    public Node? NodeOf(PlannedTask task) => Snapshot.NodeOf(task.Task.NodeId);
}

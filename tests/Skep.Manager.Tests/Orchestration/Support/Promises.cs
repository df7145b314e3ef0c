using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;
using Skep.Store;

namespace Skep.Manager.Tests.Orchestration;

/// <summary>What holds at every moment of a little manager, and what holds when it is at rest.</summary>
internal sealed class Promises
{
    private readonly LittleManager manager;
    private readonly HashSet<string> startedFirst = new(StringComparer.Ordinal);

    public Promises(LittleManager manager)
    {
        this.manager = manager;
        manager.OnCommit = CheckCommit;
        manager.OnQuiet = CheckMoment;
    }

    /// <summary>Every service has exactly the tasks it asks for, of its spec and running, and nothing else is left.</summary>
    public void CheckRest()
    {
        List<Service> services = manager.Store.Read(static v => v.List<Service>().ToList());
        List<Node> nodes = manager.Store.Read(static v => v.List<Node>().ToList());
        foreach (Service service in services)
        {
            var eligibility = new NodeEligibility(service);
            if (JobSize(service, nodes.Count(eligibility.IsFor)) is { } size)
            {
                List<SwarmTask> ofThisRun = manager.Tasks(service.Id).FindAll(t => JobTasks.IterationOf(t) == NewTask.JobIterationOf(service));
                int complete = ofThisRun.Count(static t => t.Observed() == TaskState.Complete);
                Require(complete == size, $"{complete} tasks of job {service.Id} are complete, not {size}");
                Require(!ofThisRun.Exists(static t => t.IsWanted() && t.Observed() != TaskState.Complete), $"job {service.Id} still runs");
                continue;
            }
            int expected = service.Spec.Replicated is { } r ? (int)r.Replicas : nodes.Count(eligibility.IsFor);
            // Tasks that completed under a policy of on-failure fill their slots; the last update has replaced them all.
            Require(manager.Wanted(service.Id).Count == expected, $"{service.Id} has {manager.Wanted(service.Id).Count} tasks, not {expected}");
            Require(manager.Running(service.Id).Count == expected, $"{service.Id} runs {manager.Running(service.Id).Count}, not {expected}");
            Require(manager.Running(service.Id).TrueForAll(static t => t.Spec.Container.Image == "final"), $"{service.Id} is not updated");
            Require(service.UpdateStatus is null or { State: UpdateStatus.Types.UpdateState.Completed }, $"{service.Id}'s update is not over");
        }
        List<SwarmTask> others = manager.Store.Read(static v => v.List<SwarmTask>().Where(t => v.Get<Service>(t.ServiceId) is null || t.DesiredState == TaskState.Remove).ToList());
        Require(others.Count == 0, $"{others.Count} tasks are left over");
        foreach (IGrouping<(string, ulong, string), SwarmTask> slot in manager.Store.Read(static v => v.List<SwarmTask>().ToList())
            .GroupBy(t => (t.ServiceId, t.Slot, IsGlobal(manager.Service(t.ServiceId)) ? t.NodeId : "")))
        {
            Require(slot.Count() <= 5, $"slot {slot.Key} keeps {slot.Count()} tasks");
        }
    }

    private void CheckCommit(StoreCommit commit)
    {
        foreach (StoreChange change in commit.Changes)
        {
            if (change is { Object: SwarmTask task, Old: SwarmTask old })
            {
                Require(task.Observed() >= old.Observed(), $"{task.Id} went back from {old.Observed()} to {task.Observed()}");
                Require(task.DesiredState >= old.DesiredState, $"{task.Id} is wanted {task.DesiredState} after {old.DesiredState}");
            }
            if (change.Object is Service service && (service.Spec.Update?.Order == UpdateConfig.Types.UpdateOrder.StartFirst || service.Spec.Rollback?.Order == UpdateConfig.Types.UpdateOrder.StartFirst))
            {
                // Once a service starts first, a slot may have two tasks until the old one has gone.
                startedFirst.Add(service.Id);
            }
        }
    }

    private void CheckMoment()
    {
        foreach (Service service in manager.Store.Read(static v => v.List<Service>().ToList()))
        {
            bool global = IsGlobal(service);
            List<SwarmTask> tasks = manager.Tasks(service.Id);
            int most = startedFirst.Contains(service.Id) ? 2 : 1;
            // The iterations of a job have slots of their own.
            foreach (IGrouping<(ulong, string, ulong), SwarmTask> slot in tasks.GroupBy(t => (t.Slot, global ? t.NodeId : "", JobTasks.IterationOf(t))))
            {
                Require(slot.Count(static t => t.IsWanted() && t.Observed() != TaskState.Complete) <= most, $"{slot.Count(static t => t.IsWanted())} tasks are wanted in slot {slot.Key} of {service.Id}");
                int alive = slot.Count(t => t.Observed() == TaskState.Running && !IsOutOfReach(t.NodeId));
                // A task that a node which was lost still runs comes on top of its successors, until the node has stopped it.
                int returned = slot.Count(t => t.Observed() == TaskState.Running && !t.IsWanted() && wasOut.Contains(t.NodeId));
                Require(alive <= most + returned, $"{alive} tasks run in slot {slot.Key} of {service.Id}");
            }
            if (service.Spec.ReplicatedJob is { } job)
            {
                int busy = tasks.Count(t => t.IsWanted() && t.Observed() != TaskState.Complete && JobTasks.IterationOf(t) == NewTask.JobIterationOf(service));
                Require(busy <= (job.MaxConcurrent == 0 ? int.MaxValue : (int)job.MaxConcurrent), $"{busy} tasks of job {service.Id} at once");
            }
            if (service.Spec.Replicated is not null)
            {
                int slots = tasks.Where(static t => t.IsWanted()).Select(static t => t.Slot).Distinct().Count();
                Require(slots <= (int)service.Spec.Replicated.Replicas, $"{slots} slots of {service.Id} are wanted, {service.Spec.Replicated.Replicas} asked for");
            }
        }
    }

    private readonly HashSet<string> wasOut = new(StringComparer.Ordinal);

    private bool IsOutOfReach(string nodeId)
    {
        bool isOut = TaskFacts.IsUnreachable(manager.Store.Read(v => v.Get<Node>(nodeId)));
        if (isOut)
        {
            wasOut.Add(nodeId);
        }
        return isOut;
    }

    private static bool IsGlobal(Service service) => service.Spec.Global is not null || service.Spec.GlobalJob is not null;

    private static int? JobSize(Service service, int nodes) =>
        service.Spec.ReplicatedJob is { } job ? (int)job.TotalCompletions : service.Spec.GlobalJob is not null ? nodes : null;

    private void Require(bool so, string otherwise)
    {
        if (!so)
        {
            Assert.Fail($"at {manager.Now:HH:mm:ss.f}: {otherwise}\n{manager.Describe()}");
        }
    }
}

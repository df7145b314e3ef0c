using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Manager.Orchestration;
using Skep.V1;
using Kind = Skep.V1.Reason.Types.Kind;
using State = Docker.Swarmkit.V1.UpdateStatus.Types.UpdateState;

namespace Skep.Manager.Why;

/// <summary>Says of a service what keeps it from being as it was asked for. Pure.</summary>
internal sealed class ServiceExplainer(WhySnapshot cluster)
{
    private const int MaxTasks = 50;
    private const int MaxReasons = 8;
    private readonly TaskExplainer tasks = new(cluster);

    /// <summary>Whether a service has all the tasks it wants, none of them out of date.</summary>
    public bool HasConverged(Service service)
    {
        ListServiceStatusesResponse.Types.ServiceStatus count = cluster.Counts[service.Id];
        if (service.UpdateStatus?.State is State.Updating or State.Paused or State.RollbackStarted or State.RollbackPaused)
        {
            return false;
        }
        return service.Spec.ModeCase switch
        {
            ServiceSpec.ModeOneofCase.ReplicatedJob => count.CompletedTasks >= service.Spec.ReplicatedJob.TotalCompletions,
            _ => count.RunningTasks >= count.DesiredTasks && Troubled(service).Count == 0 && !IsWithoutNode(service),
        };
    }

    /// <summary>The service, with its reasons and the tasks that are not as they are wanted.</summary>
    public ServiceExplanation Explain(Service service)
    {
        ListServiceStatusesResponse.Types.ServiceStatus count = cluster.Counts[service.Id];
        List<SwarmTask> troubled = Troubled(service);
        List<TaskExplanation> shown = [.. troubled.Take(MaxTasks).Select(tasks.Explain)];
        var explanation = new ServiceExplanation
        {
            ServiceId = service.Id,
            Name = service.Spec.Annotations.Name,
            Mode = ObjectNames.ModeOf(service.Spec),
            WantedTasks = count.DesiredTasks,
            RunningTasks = count.RunningTasks,
            CompletedTasks = count.CompletedTasks,
            Converged = HasConverged(service),
            UpdateStatus = service.UpdateStatus,
            Tasks = { shown },
            MoreTasks = (uint)(troubled.Count - shown.Count),
        };
        explanation.Reasons.Add(OfTheWhole(service, count));
        explanation.Reasons.Add(Summed(shown).Take(MaxReasons));
        return explanation;
    }

    /// <summary>The first thing that holds a service up, in a sentence; empty for one that has converged.</summary>
    public string Summary(Service service)
    {
        Reason? first = OfTheWhole(service, cluster.Counts[service.Id]).FirstOrDefault()
            ?? Troubled(service).Select(t => tasks.Explain(t).Reasons.FirstOrDefault()).FirstOrDefault(r => r is not null);
        return first?.Summary ?? "";
    }

    private List<SwarmTask> Troubled(Service service) =>
    [
        .. cluster.TasksOf(service.Id)
            .Where(t => t.DesiredState < TaskState.Remove && !TaskExplainer.IsAsDesired(t))
            .Concat(GivenUpSlots(service))
            .OrderBy(t => t.IsWanted() ? 0 : 1)
            .ThenBy(t => t.Slot)
            .ThenBy(t => t.Id, StringComparer.Ordinal),
    ];

    // The newest task of a place that should have one and has none that is wanted.
    private IEnumerable<SwarmTask> GivenUpSlots(Service service)
    {
        if (service.Spec.Replicated is not { Replicas: > 0 } replicated || cluster.Counts[service.Id].RunningTasks >= replicated.Replicas)
        {
            return [];
        }
        List<Slot> slots = [.. cluster.SlotsOf(service.Id).Values];
        int filled = slots.Count(s => s.Wanted.Any());
        return slots
            .Where(s => !s.Wanted.Any() && s.Newest is { HasEnded: true, Observed: TaskState.Failed or TaskState.Rejected or TaskState.Complete })
            .Select(s => s.Newest!.Task)
            .Take((int)Math.Max(0, Math.Min((long)replicated.Replicas - filled, int.MaxValue)));
    }

    private IEnumerable<Reason> OfTheWhole(Service service, ListServiceStatusesResponse.Types.ServiceStatus count)
    {
        if (service.UpdateStatus is { } update && OfUpdate(service, update) is { } reason)
        {
            yield return reason;
        }
        if (service.Spec.Replicated is { Replicas: 0 })
        {
            yield return new() { Kind = Kind.NoReplicas, Summary = "it is asked for with no replicas", Mend = $"swarmctl service update {service.Spec.Annotations.Name} --replicas 1" };
        }
        if (IsWithoutNode(service))
        {
            Reason placement = PlacementExplainer.Explain(Scheduling.TaskRequirements.Of(service), cluster.States);
            placement.Kind = Kind.NoEligibleNode;
            placement.Summary = $"no node is eligible for this global service: {placement.Summary}";
            yield return placement;
        }
        if (service.Spec.Replicated is { Replicas: > 0 } && count.DesiredTasks > 0 && !cluster.TasksOf(service.Id).Any())
        {
            yield return new() { Kind = Kind.NotAllocated, Summary = "its tasks have not been made yet" };
        }
    }

    private Reason? OfUpdate(Service service, UpdateStatus update)
    {
        string name = service.Spec.Annotations.Name;
        switch (update.State)
        {
            case State.Paused or State.RollbackPaused:
                // The message ends with the id of the task that failed.
                string taskId = update.Message.Split(' ')[^1];
                SwarmTask? failed = cluster.TasksOf(service.Id).FirstOrDefault(t => t.Id == taskId);
                Reason? ending = failed is null ? null : EndingExplainer.Explain(failed, cluster.NodeOf(failed), name);
                return new()
                {
                    Kind = Kind.UpdatePaused,
                    Summary = ending is null ? update.Message : $"{update.Message}: {ending.Summary}",
                    Mend = $"{(ending is null ? "" : ending.Mend + " ")}Then swarmctl service update {name} with a mended spec, which starts the update anew.",
                    TaskId = failed?.Id ?? "",
                    EngineMessage = ending?.EngineMessage ?? "",
                    Since = update.StartedAt,
                };
            case State.Updating or State.RollbackStarted:
                var check = new DirtyCheck(service);
                List<SwarmTask> wanted = [.. cluster.TasksOf(service.Id).Where(t => t.IsWanted())];
                int done = wanted.Count(t => !check.IsDirty(t, cluster.NodeOf(t)) && TaskExplainer.IsAsDesired(t));
                return new()
                {
                    Kind = update.State == State.Updating ? Kind.Updating : Kind.RollingBack,
                    Summary = $"{update.Message}: {done} of {cluster.Counts[service.Id].DesiredTasks} tasks run the new spec",
                    Since = update.StartedAt,
                };
            default:
                return null;
        }
    }

    private bool IsWithoutNode(Service service)
    {
        if (service.Spec.ModeCase is not (ServiceSpec.ModeOneofCase.Global or ServiceSpec.ModeOneofCase.GlobalJob)
            || cluster.TasksOf(service.Id).Any(t => t.IsWanted()))
        {
            return false;
        }
        var eligibility = new NodeEligibility(service);
        return !cluster.Nodes.Values.Any(eligibility.IsFor);
    }

    private static IEnumerable<Reason> Summed(List<TaskExplanation> explained)
    {
        foreach (IGrouping<(Kind, string), (TaskExplanation Task, Reason Reason)> group in explained
            .SelectMany(t => t.Reasons.Select(r => (Task: t, Reason: r)))
            .GroupBy(p => (p.Reason.Kind, p.Reason.Summary))
            .OrderByDescending(g => g.Count()))
        {
            (TaskExplanation task, Reason first) = group.First();
            Reason reason = first.Clone();
            reason.Summary = group.Count() == 1 ? $"{task.Name}: {first.Summary}" : $"{group.Count()} tasks: {first.Summary}";
            reason.TaskId = group.Count() == 1 ? task.TaskId : "";
            yield return reason;
        }
    }
}

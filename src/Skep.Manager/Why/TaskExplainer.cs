using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.Manager.Orchestration;
using Skep.Manager.Scheduling;
using Skep.V1;
using Kind = Skep.V1.Reason.Types.Kind;

namespace Skep.Manager.Why;

/// <summary>Says of a task what it waits for, or how it ended. Pure.</summary>
internal sealed class TaskExplainer(WhySnapshot cluster)
{
    private readonly Dictionary<string, Dictionary<SlotKey, Slot>> slots = new(StringComparer.Ordinal);

    /// <summary>The task, with its reasons.</summary>
    public TaskExplanation Explain(SwarmTask task)
    {
        Node? node = cluster.NodeOf(task);
        Service? service = cluster.Service(task.ServiceId);
        var explanation = new TaskExplanation
        {
            TaskId = task.Id,
            Name = ObjectNames.ServiceAndSlot(task),
            ServiceId = task.ServiceId,
            ServiceName = NameOf(task),
            Slot = task.Slot,
            NodeId = task.NodeId,
            NodeName = node is null ? "" : ObjectNames.Of(node),
            DesiredState = task.DesiredState,
            State = task.Observed(),
            Since = Timestamp.FromDateTimeOffset(task.ReportedAt()),
            Message = task.Status?.Message ?? "",
            Err = task.Status?.Err ?? "",
            AsDesired = IsAsDesired(task),
        };
        explanation.Reasons.Add(Reasons(task, node, service));
        return explanation;
    }

    /// <summary>Whether a task is in the state it is wanted in.</summary>
    public static bool IsAsDesired(SwarmTask task) => task.IsWanted()
        ? task.DesiredState is TaskState.Running or TaskState.Complete && task.Observed() == task.DesiredState
        : task.HasEnded();

    /// <summary>The place a task is in, with the tasks before and after it.</summary>
    public Slot SlotOf(SwarmTask task)
    {
        if (!slots.TryGetValue(task.ServiceId, out Dictionary<SlotKey, Slot>? ofService))
        {
            slots[task.ServiceId] = ofService = cluster.SlotsOf(task.ServiceId);
        }
        return ofService[cluster.KeyOf(task)];
    }

    private static string NameOf(SwarmTask task) => task.ServiceAnnotations?.Name ?? "";

    private IEnumerable<Reason> Reasons(SwarmTask task, Node? node, Service? service)
    {
        if (task.HasEnded())
        {
            return Ended(task, node);
        }
        if (!task.IsWanted())
        {
            return [Stopping(task, node)];
        }
        if (IsAsDesired(task))
        {
            return [];
        }
        if (task.ServiceId.Length > 0 && service is null)
        {
            return [new() { Kind = Kind.Removed, Summary = "its service was removed; the task goes too" }];
        }
        var reasons = new List<Reason>();
        if (task.DesiredState < TaskState.Running)
        {
            reasons.Add(Held(task));
        }
        reasons.Add(Coming(task, node));
        return reasons;
    }

    private IEnumerable<Reason> Ended(SwarmTask task, Node? node)
    {
        if (EndingExplainer.Explain(task, node, NameOf(task)) is { } ending)
        {
            yield return ending;
        }
        if (task.ServiceId.Length == 0)
        {
            yield break;
        }
        Slot slot = SlotOf(task);
        int at = slot.Tasks.FindIndex(t => t.Id == task.Id);
        if (at + 1 < slot.Tasks.Count)
        {
            yield break; // another took its place
        }
        if (task.IsWanted())
        {
            if (new ServiceMemory().HistoryOf(slot).MayRestart(task))
            {
                yield return Held(task);
            }
            else if (task.Observed() != TaskState.Complete)
            {
                yield return GivenUp(task);
            }
        }
        else if (task.Observed() is TaskState.Failed or TaskState.Rejected && task.DesiredState < TaskState.Remove)
        {
            yield return GivenUp(task);
        }
    }

    private static Reason GivenUp(SwarmTask task)
    {
        RestartPolicy policy = task.Spec?.Restart ?? new();
        string why = policy.MaxAttempts > 0
            ? $"its restart policy allows {policy.MaxAttempts} attempts{(GoDuration.ToNanoseconds(policy.Window) > 0 ? $" within {GoDuration.Format(policy.Window)}" : "")}"
            : $"its restart condition is {WireNames.Of(ServiceDefaults.RestartConditionOf(task.Spec)).ToLowerInvariant().Replace('_', '-')}";
        return new()
        {
            Kind = Kind.GivenUp,
            Summary = $"it is not started again: {why}",
            Mend = $"Mend its cause, then swarmctl service update {NameOf(task)} --force; or change --restart-condition or --restart-max-attempts.",
        };
    }

    private static Reason Stopping(SwarmTask task, Node? node) => TaskFacts.IsUnreachable(node) && task.NodeId.Length > 0
        ? Away(task, node, "cannot be told to stop it")
        : new()
        {
            Kind = Kind.Stopping,
            Summary = $"it is wanted {WireNames.Of(task.DesiredState)} and has not ended yet; it is killed when its grace period of {GoDuration.Format(ServiceDefaults.StopGracePeriodOf(task.Spec))} is over",
            NodeId = task.NodeId,
        };

    private static Reason Away(SwarmTask task, Node? node, string consequence)
    {
        string name = node is null ? task.NodeId : ObjectNames.Of(node);
        string message = node?.Status?.Message is { Length: > 0 } m ? $" ({m})" : "";
        return new()
        {
            Kind = Kind.NodeDown,
            Summary = node is null ? $"its node {name} was removed and {consequence}" : $"{name} is {WireNames.Of(node.Status?.State ?? default)}{message} and {consequence}",
            Mend = node is null ? "" : $"Start swarmd on {name}; or, if it is gone for good, swarmctl node remove {name}",
            NodeId = task.NodeId,
        };
    }

    // It is prepared ahead, and starts when the task before it has stopped and the restart delay is over.
    private Reason Held(SwarmTask task)
    {
        Slot slot = SlotOf(task);
        PlannedTask planned = slot.Tasks.First(t => t.Id == task.Id);
        int at = slot.Tasks.IndexOf(planned);
        PlannedTask? old = slot.Tasks.Take(at).LastOrDefault(t => !t.IsWanted && !TaskFacts.IsOutOfTheWay(t.Task, cluster.NodeOf(t.Task)));
        if (old is not null)
        {
            return new()
            {
                Kind = Kind.WaitsForOld,
                Summary = $"it starts when task {old.Id}, which it replaces, has stopped; that one is {WireNames.Of(old.Observed)}",
                TaskId = old.Id,
            };
        }
        DateTimeOffset until = task.HasEnded()
            ? task.ReportedAt() + new ServiceMemory().HistoryOf(slot).DelayOf(task.Spec)
            : new ServiceMemory().HeldUntil(slot, planned);
        PlannedTask before = task.HasEnded() ? planned : at > 0 ? slot.Tasks[at - 1] : planned;
        Reason? ending = EndingExplainer.Explain(before.Task, cluster.NodeOf(before.Task), NameOf(task));
        TimeSpan left = until - cluster.Now;
        string when = left > TimeSpan.Zero ? $"in {GoDuration.Format(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)))}" : "now";
        var reason = new Reason
        {
            Kind = Kind.Backoff,
            Summary = ending is null ? $"it is tried again {when}" : $"it is tried again {when}, since the task before it ended: {ending.Summary}",
            Mend = ending?.Mend ?? "",
            NextTryAt = Timestamp.FromDateTimeOffset(until),
            EngineMessage = ending?.EngineMessage ?? "",
        };
        if (before.Id != task.Id)
        {
            reason.TaskId = before.Id;
        }
        return reason;
    }

    // On its way to running.
    private Reason Coming(SwarmTask task, Node? node)
    {
        TaskState state = task.Observed();
        if (state > TaskState.Pending && TaskFacts.IsUnreachable(node))
        {
            return Away(task, node, "says nothing of the task");
        }
        string name = node is null ? "its node" : ObjectNames.Of(node);
        string err = task.Status?.Err ?? "";
        string age = Age(task);
        Reason reason = state switch
        {
            TaskState.New => new()
            {
                Kind = Kind.NotAllocated,
                Summary = err.Length > 0 ? $"it has no ports and addresses yet: {err}" : "it has no ports and addresses yet",
            },
            TaskState.Pending => PlacementExplainer.Explain(
                TaskRequirements.Of(task),
                task.NodeId.Length == 0 ? cluster.States : [.. cluster.States.Where(s => s.Node.Id == task.NodeId)]),
            TaskState.Assigned => new()
            {
                Kind = Kind.NoAgentReport,
                Summary = $"it was given to {name} {age} ago; its agent has not reported on it",
                Mend = $"If this lasts, look at the log of swarmd on {name}.",
            },
            TaskState.Starting when task.Spec?.Container?.Healthcheck is not null => new()
            {
                Kind = Kind.Preparing,
                Summary = $"{name} has been starting it for {age}; it runs once its health check passes",
            },
            TaskState.Starting => new() { Kind = Kind.Preparing, Summary = $"{name} has been starting it for {age}" },
            TaskState.Ready => new() { Kind = Kind.Preparing, Summary = $"{name} has had it ready for {age}" },
            _ => new()
            {
                Kind = err.Length > 0 ? Kind.Image : Kind.Preparing,
                Summary = $"{name} has been preparing it for {age} (images, files){(err.Length > 0 ? $": {err}" : "")}",
                EngineMessage = err,
            },
        };
        reason.NodeId = task.NodeId;
        reason.Since = Timestamp.FromDateTimeOffset(task.ReportedAt());
        return reason;
    }

    private string Age(SwarmTask task)
    {
        TimeSpan age = cluster.Now - task.ReportedAt();
        return age < TimeSpan.FromSeconds(1) ? "a moment" : GoDuration.Format(TimeSpan.FromSeconds(Math.Floor(age.TotalSeconds)));
    }
}

using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;

namespace Skep.Manager.Control.Rules;

/// <summary>What a task spec must keep to, whatever runs it.</summary>
internal static class TaskRules
{
    private const long MinNanoCpus = 1_000_000;
    private const long MinMemoryBytes = 4 * 1024 * 1024;

    /// <summary>Checks a whole task spec.</summary>
    public static void Check(TaskSpec? spec)
    {
        spec ??= new();
        CheckResources(spec.Resources);
        CheckRestart(spec.Restart);
        CheckPlacement(spec.Placement);
        switch (spec.RuntimeCase)
        {
            case TaskSpec.RuntimeOneofCase.None:
                throw Refusal.Invalid("TaskSpec: missing runtime");
            case TaskSpec.RuntimeOneofCase.Container:
                ReferenceRules.Check(spec.Container);
                ContainerRules.Check(spec.Container);
                break;
            case TaskSpec.RuntimeOneofCase.Generic:
                GenericRuntimeRules.Check(spec);
                break;
            default:
                throw Refusal.Unimplemented("RuntimeSpec: unimplemented runtime in service spec");
        }
    }

    private static void CheckResources(ResourceRequirements? requirements)
    {
        if (requirements is null)
        {
            return;
        }
        CheckResources(requirements.Limits);
        CheckResources(requirements.Reservations);
        if (requirements.SwapBytes is < -1)
        {
            throw Refusal.Invalid($"invalid swap value {requirements.SwapBytes}: Must be -1 for no limit, or a number of bytes");
        }
        if (requirements.MemorySwappiness is < -1 or > 100)
        {
            throw Refusal.Invalid($"invalid memory swappiness value {requirements.MemorySwappiness}: Must be between 0 and 100, or -1");
        }
    }

    private static void CheckResources(Resources? resources)
    {
        if (resources is null)
        {
            return;
        }
        if (resources.NanoCpus is not 0 and < MinNanoCpus)
        {
            string cpus = (resources.NanoCpus / 1e9).ToString("0.#########", CultureInfo.InvariantCulture);
            throw Refusal.Invalid($"invalid cpu value {cpus}: Must be at least 0.001");
        }
        if (resources.MemoryBytes is not 0 and < MinMemoryBytes)
        {
            throw Refusal.Invalid($"invalid memory value {resources.MemoryBytes}: Must be at least 4MiB");
        }
        foreach (GenericResource generic in resources.Generic)
        {
            CheckGeneric(generic);
        }
    }

    // A task asks for a number of pieces; which ones it gets is the scheduler's choice.
    private static void CheckGeneric(GenericResource generic)
    {
        if (generic.DiscreteResourceSpec is not { } discrete)
        {
            throw Refusal.Invalid($"invalid generic resource {Refusal.Quote(generic.NamedResourceSpec?.Kind ?? "")}: a task asks for a number of pieces, not for a named one");
        }
        if (discrete.Kind.Length == 0 || discrete.Value < 0)
        {
            throw Refusal.Invalid($"invalid generic resource {Refusal.Quote(discrete.Kind)}: a kind and a number that is not negative are needed, not {discrete.Value}");
        }
    }

    private static void CheckRestart(RestartPolicy? policy)
    {
        if (policy is null)
        {
            return;
        }
        EnumRules.CheckKnown(policy.Condition, "TaskSpec: restart condition");
        DurationRules.CheckNotNegative(policy.Delay, "TaskSpec: restart-delay", "TaskSpec: restart-delay cannot be negative");
        DurationRules.CheckNotNegative(policy.Window, "TaskSpec: restart-window", "TaskSpec: restart-window cannot be negative");
    }

    private static void CheckPlacement(Placement? placement)
    {
        foreach (string expression in placement?.Constraints ?? [])
        {
            if (!Constraint.TryParse([expression], out _, out string? error))
            {
                throw Refusal.Invalid($"invalid constraint {Refusal.Quote(expression)}: {error}");
            }
        }
        foreach (PlacementPreference preference in placement?.Preferences ?? [])
        {
            if (string.IsNullOrEmpty(preference.Spread?.SpreadDescriptor))
            {
                throw Refusal.Invalid("invalid placement preference: only spread over a node property is known, such as node.labels.zone");
            }
        }
    }
}

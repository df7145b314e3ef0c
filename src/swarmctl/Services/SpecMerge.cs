using Docker.Swarmkit.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary>Puts what the flags say into a service's spec; what they do not name stays as it is.</summary>
internal static class SpecMerge
{
    public static async Task MergeAsync(Session s, ServiceSpec spec, CancellationToken ct)
    {
        TaskSpec task = spec.Task ??= new();
        spec.Annotations ??= new();
        if (s.Flags.GetValue(F.Force))
        {
            task.ForceUpdate++;
        }
        if (s.Has(F.Name))
        {
            spec.Annotations.Name = s.Flags.GetValue(F.Name);
        }
        if (s.Has(F.Label))
        {
            spec.Annotations.Labels.Clear();
            spec.Annotations.Labels.Add(s.Labels(F.Label));
        }
        MergeMode(s, spec);
        await ProgramMerge.MergeAsync(s, task, ct).ConfigureAwait(false);
        ResourceFlags.Merge(s, task);
        if (s.Has(F.Ports))
        {
            spec.Endpoint = new() { Ports = { s.Values(F.Ports).Select(PortFlag.Parse) } };
        }
        if (s.Has(F.Network))
        {
            Network network = await s.NetworkAsync(s.Flags.GetValue(F.Network)!, ct).ConfigureAwait(false);
            task.Networks.Clear();
            task.Networks.Add(new NetworkAttachmentConfig { Target = network.Id });
        }
        MergeRestart(s, task);
        spec.Update = F.Update.Merge(s, spec.Update);
        spec.Rollback = F.Rollback.Merge(s, spec.Rollback);
        MergePlacement(s, task);
        task.LogDriver = CommonFlags.LogDriver(s, F.LogDriver, F.LogOpt) ?? task.LogDriver;
    }

    /// <summary>Restarts always; the wire's zero would mean never.</summary>
    public static RestartPolicy NewRestartPolicy() => new() { Condition = RestartPolicy.Types.RestartCondition.Any };

    private static void MergeMode(Session s, ServiceSpec spec)
    {
        if (s.Has(F.Mode) && Choice.Of(s, F.Mode, "replicated", "global") == "global")
        {
            spec.Global = new();
        }
        else if (spec.ModeCase == ServiceSpec.ModeOneofCase.None)
        {
            spec.Replicated = new() { Replicas = 1 };
        }
        if (!s.Has(F.Replicas))
        {
            return;
        }
        if (spec.Replicated is null)
        {
            throw new UserException("--replicas can only be specified in --mode replicated");
        }
        spec.Replicated.Replicas = s.Flags.GetValue(F.Replicas);
    }

    private static void MergeRestart(Session s, TaskSpec task)
    {
        if (s.Has(F.RestartCondition))
        {
            RestartOf(task).Condition = Choice.Of(s, F.RestartCondition, "any", "failure", "none") switch
            {
                "none" => RestartPolicy.Types.RestartCondition.None,
                "failure" => RestartPolicy.Types.RestartCondition.OnFailure,
                _ => RestartPolicy.Types.RestartCondition.Any,
            };
        }
        if (s.Has(F.RestartDelay))
        {
            RestartOf(task).Delay = CommonFlags.Duration(s, F.RestartDelay);
        }
        if (s.Has(F.RestartMaxAttempts))
        {
            RestartOf(task).MaxAttempts = s.Flags.GetValue(F.RestartMaxAttempts);
        }
        if (s.Has(F.RestartWindow))
        {
            RestartOf(task).Window = CommonFlags.Duration(s, F.RestartWindow);
        }
    }

    private static RestartPolicy RestartOf(TaskSpec task) =>
        task.Restart ??= NewRestartPolicy();

    private static void MergePlacement(Session s, TaskSpec task)
    {
        if (s.Has(F.Constraint))
        {
            task.Placement ??= new();
            task.Placement.Constraints.Clear();
            task.Placement.Constraints.AddRange(s.Values(F.Constraint));
        }
        if (s.Has(F.ReplicasMaxPerNode))
        {
            (task.Placement ??= new()).MaxReplicas = s.Flags.GetValue(F.ReplicasMaxPerNode);
        }
    }
}

using System.Globalization;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Swarmctl.Output;

namespace Swarmctl.Tasks;

/// <summary>A task as <c>task inspect</c> shows it.</summary>
internal static class TaskSummary
{
    public static TabText Of(SwarmTask task, string service, string node)
    {
        TabText text = TabText.ForObject().Line($"ID\t: {task.Id}").Line($"Slot\t: {task.Slot}").Line($"Service\t: {service}");
        AddStatus(text, task);
        text.Line($"Node\t: {node}").Line("Spec\t");
        RuntimeText.Add(text, task.Spec);
        if (task.Spec?.Container is { } container)
        {
            ReferenceLines.Add(text, container, withIds: false);
        }
        return text;
    }

    private static void AddStatus(TabText text, SwarmTask task)
    {
        Docker.Swarmkit.V1.TaskStatus status = task.Status ?? new();
        text.Line("Status\t")
            .Line($"  Desired State\t: {WireNames.Of(task.DesiredState)}")
            .Line($"  Last State\t: {WireNames.Of(status.State)}")
            .LineIf("  Timestamp", status.Timestamp is null ? null : Rfc3339(status.Timestamp))
            .LineIf("  Message", status.Message)
            .LineIf("  Error", status.Err);
        if (status.Container is { } container)
        {
            text.LineIf("  ContainerID:", container.ContainerId)
                .LineIf("  Pid", container.Pid == 0 ? null : container.Pid.ToString(CultureInfo.InvariantCulture))
                .LineIf("  ExitCode", status.State > TaskState.Running ? container.ExitCode.ToString(CultureInfo.InvariantCulture) : null);
        }
        if (status.PortStatus?.Ports is { Count: > 0 } ports)
        {
            text.Line("Ports\t: " + string.Join(", ", ports.Select(p =>
                $"0.0.0.0:{p.PublishedPort}->{p.TargetPort}/{WireNames.Of(p.Protocol).ToLowerInvariant()}")));
        }
    }

    // Nanoseconds with three, six or nine digits, as the contracts' own text form has them.
    private static string Rfc3339(Timestamp time) => time.ToString().Trim('"');
}

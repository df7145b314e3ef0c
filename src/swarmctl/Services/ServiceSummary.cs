using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Output;
using Swarmctl.Tasks;

namespace Swarmctl.Services;

/// <summary>A service as <c>service inspect</c> shows it.</summary>
internal static class ServiceSummary
{
    public static TabText Of(Service service, int running, DateTimeOffset now)
    {
        TaskSpec task = service.Spec?.Task ?? new();
        TabText text = TabText.ForObject().LineIf("ID", service.Id).LineIf("Name", service.Spec?.Annotations?.Name);
        NamedObjectText.LabelLines(text, service.Spec?.Annotations);
        text.LineIf("Replicas", Replicas(service, running));
        if (service.UpdateStatus is { } update)
        {
            AddUpdate(text, update, now);
        }
        text.Line("Template\t").Line(" Container\t");
        RuntimeText.Add(text, task);
        text.LineIf("  Constraints", task.Placement is { } p ? string.Join(", ", p.Constraints) : null);
        if (task.Resources is { } resources)
        {
            text.Line("  Resources\t");
            AddResources(text, "    Reservations:\t", resources.Reservations);
            AddResources(text, "    Limits:\t", resources.Limits);
        }
        if (task.Networks.Count > 0)
        {
            text.Line("  Networks: " + string.Join(' ', task.Networks.Select(n => n.Target)));
        }
        AddPorts(text, service.Endpoint);
        if (task.Container is { } container)
        {
            AddMounts(text, container);
            ReferenceLines.Add(text, container, withIds: true);
        }
        return task.LogDriver is { } driver ? DriverLines.Add(text, "  LogDriver", driver, "    ") : text;
    }

    /// <summary>Running tasks of those wanted, or <c>global</c>.</summary>
    public static string Replicas(Service service, int running) => service.Spec?.ModeCase switch
    {
        ServiceSpec.ModeOneofCase.Replicated => $"{running}/{service.Spec.Replicated.Replicas}",
        ServiceSpec.ModeOneofCase.Global => "global",
        ServiceSpec.ModeOneofCase.ReplicatedJob => $"{running}/{service.Spec.ReplicatedJob.MaxConcurrent} (job of {service.Spec.ReplicatedJob.TotalCompletions})",
        ServiceSpec.ModeOneofCase.GlobalJob => "global job",
        _ => "",
    };

    private static void AddUpdate(TabText text, UpdateStatus update, DateTimeOffset now)
    {
        text.Line("Update Status\t").Line(" State\t: " + WireNames.Of(update.State));
        if (update.StartedAt is not null)
        {
            text.Line(" Started\t: " + HumanTime.Ago(update.StartedAt, now));
        }
        if (update is { State: UpdateStatus.Types.UpdateState.Completed, CompletedAt: not null })
        {
            text.Line(" Completed\t: " + HumanTime.Ago(update.CompletedAt, now));
        }
        text.Line(" Message\t: " + update.Message);
    }

    private static void AddResources(TabText text, string title, Resources? resources)
    {
        if (resources is null)
        {
            return;
        }
        text.Line(title);
        text.LineIf("      CPU", resources.NanoCpus == 0 ? null : (resources.NanoCpus / 1e9).ToString("G", CultureInfo.InvariantCulture))
            .LineIf("      Memory", resources.MemoryBytes == 0 ? null : ByteSizes.Format(resources.MemoryBytes));
        if (resources.Generic.Count > 0)
        {
            text.Line("      Generic Resources\t");
            GenericResourceLines.Add(text, resources.Generic, "        ");
        }
    }

    private static void AddPorts(TabText text, Endpoint? endpoint)
    {
        if (endpoint?.Ports is not { Count: > 0 } ports)
        {
            return;
        }
        text.Line("").Line("Ports:");
        foreach (PortConfig port in ports)
        {
            text.Line($"    - Name\t= {port.Name}")
                .Line($"      Protocol\t= {WireNames.Of(port.Protocol)}")
                .Line($"      Port\t= {port.TargetPort}")
                .Line($"      SwarmPort\t= {port.PublishedPort}")
                .Line($"      Mode\t= {WireNames.Of(port.PublishMode)}");
        }
    }

    private static void AddMounts(TabText text, ContainerSpec container)
    {
        if (container.Mounts.Count > 0)
        {
            text.Line("  Mounts:");
        }
        foreach (Mount mount in container.Mounts)
        {
            text.Line($"    - target = {mount.Target}")
                .Line($"      source = {mount.Source}")
                .Line($"      readonly = {(mount.Readonly ? "true" : "false")}")
                .Line($"      type = {WireNames.Of(mount.Type).ToLowerInvariant()}");
        }
    }
}

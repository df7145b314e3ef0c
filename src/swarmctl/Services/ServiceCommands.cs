using System.CommandLine;
using Docker.Swarmkit.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;
using Swarmctl.Tasks;
using Swarmctl.Why;

namespace Swarmctl.Services;

/// <summary><c>swarmctl service …</c></summary>
internal static class ServiceCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("service ID");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display IDs");
    private static readonly Option<bool> AllTasks = CommonFlags.AllTasks();

    public static Command All() => Verb.Group(
        "service", "Service management",
        Verb.Make("create", "Create a service", CreateAsync, ServiceFlags.ForCreate),
        Verb.Make("inspect", "Inspect a service", InspectAsync, Words, AllTasks),
        ServiceLogs.Command(),
        Verb.Make("ls", "List services", ListAsync, Quiet),
        Verb.Make("remove", "Remove a service", RemoveAsync, Words).Alias("rm"),
        Verb.Make("update", "Update a service", UpdateAsync, [Words, .. ServiceFlags.ForUpdate]),
        Verb.Make("why", "Explain what a service waits for and what would mend it", WhyCommands.ServiceAsync(Words), Words)).Alias("svc");

    private static async Task CreateAsync(Session s, CancellationToken ct)
    {
        bool process = s.Has(ServiceFlags.Runtime) && s.Flags.GetValue(ServiceFlags.Runtime) == "process";
        if (!s.Has(ServiceFlags.Name) || !(process || s.Has(ServiceFlags.Image)))
        {
            throw new UserException("--name and --image are mandatory (or --name and --command with --runtime process)");
        }
        if (process && !s.Has(ServiceFlags.Command))
        {
            throw new UserException("--command is mandatory with --runtime process");
        }

        // SwarmKit's own command line always sends a restart policy.
        var spec = new ServiceSpec { Task = new() { Restart = SpecMerge.NewRestartPolicy() } };
        await SpecMerge.MergeAsync(s, spec, ct).ConfigureAwait(false);
        Service service = (await s.Control.CreateServiceAsync(new() { Spec = spec }, cancellationToken: ct).ConfigureAwait(false)).Service;
        s.Output.WriteLine(service.Id);
        await FollowAsync(s, service.Id, ct).ConfigureAwait(false);
    }

    private static async Task UpdateAsync(Session s, CancellationToken ct)
    {
        string name = s.One(Words, "service ID missing");
        bool rollback = s.Flags.GetValue(ServiceFlags.RollbackNow);
        ServiceSpec? wanted = null;
        Service updated = await VersionedChange.MakeAsync(
            () => s.ServiceAsync(name, ct),
            service => service.Meta?.Version,
            async service =>
            {
                ServiceSpec spec = service.Spec.Clone();
                await SpecMerge.MergeAsync(s, spec, ct).ConfigureAwait(false);
                if (!rollback && spec.Equals(service.Spec))
                {
                    throw new UserException("no changes detected");
                }
                if (rollback && !spec.Equals(service.Spec))
                {
                    throw new UserException("--rollback goes back to the spec before the last update and takes no other changes");
                }
                var request = new UpdateServiceRequest
                {
                    ServiceId = service.Id,
                    ServiceVersion = service.Meta?.Version,
                    Spec = wanted = spec,
                    Rollback = rollback ? UpdateServiceRequest.Types.Rollback.Previous : UpdateServiceRequest.Types.Rollback.None,
                };
                return (await s.Control.UpdateServiceAsync(request, cancellationToken: ct).ConfigureAwait(false)).Service;
            },
            service => !rollback && service.Spec.Equals(wanted)).ConfigureAwait(false);
        s.Output.WriteLine(updated.Id);
        await FollowAsync(s, updated.Id, ct).ConfigureAwait(false);
    }

    private static Task FollowAsync(Session s, string serviceId, CancellationToken ct) =>
        s.Flags.GetValue(ServiceFlags.Detach) ? Task.CompletedTask : ServiceProgress.FollowAsync(s, serviceId, ct);

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        List<Service> services = [.. (await s.Control.ListServicesAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Services.OrderBy(x => x.Spec?.Annotations?.Name, StringComparer.Ordinal)];
        if (s.Json)
        {
            s.WriteJson(services);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            services.ForEach(x => s.Output.WriteLine(x.Id));
            return;
        }
        Dictionary<string, int> running = (await s.Control.ListTasksAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Tasks
            .Where(t => t.Status?.State == TaskState.Running)
            .CountBy(t => t.ServiceId).ToDictionary();
        TabText table = TabText.ForList().Header("ID", "Name", "Image", "Replicas");
        services.ForEach(x => table.Line(string.Join('\t', x.Id, x.Spec?.Annotations?.Name, RuntimeText.Image(x.Spec?.Task), ServiceSummary.Replicas(x, running.GetValueOrDefault(x.Id)))));
        s.Output.Write(table);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Service service = await s.ServiceAsync(s.One(Words, "service ID missing"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(service);
            return;
        }
        var tasks = (await s.Control.ListTasksAsync(new() { Filters = new() { ServiceIds = { service.Id } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks;
        s.Output.Write(ServiceSummary.Of(service, tasks.Count(t => t.Status?.State == TaskState.Running), s.Now));
        if (tasks.Count > 0)
        {
            s.Output.WriteLine();
            await TaskTable.WriteAsync(s, tasks, s.Flags.GetValue(AllTasks), ct).ConfigureAwait(false);
        }
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        Service service = await s.ServiceAsync(s.One(Words, "service ID missing"), ct).ConfigureAwait(false);
        await s.Control.RemoveServiceAsync(new() { ServiceId = service.Id }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(service.Id);
    }
}

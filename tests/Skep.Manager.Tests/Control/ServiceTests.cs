using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Mode = Docker.Swarmkit.V1.PortConfig.Types.PublishMode;
using Rollback = Docker.Swarmkit.V1.UpdateServiceRequest.Types.Rollback;

namespace Skep.Manager.Tests.Control;

public sealed class ServiceTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task A_new_service_has_an_id_a_version_and_its_spec()
    {
        Service service = await cluster.CreateService();
        Assert.Equal(25, service.Id.Length);
        Assert.Equal(cluster.Store.Version, service.Meta.Version.Index);
        Assert.Equal(0UL, service.SpecVersion.Index);
        Assert.Null(service.PreviousSpec);
        Assert.Equal(ControlCluster.ServiceSpec(), service.Spec);
    }

    [Fact]
    public async Task A_name_is_given_once_whatever_its_case()
    {
        await cluster.CreateService();
        await ControlCluster.Refused(
            StatusCode.AlreadyExists,
            "name conflicts with an existing object: service WEB already exists",
            () => cluster.CreateService(ControlCluster.ServiceSpec("WEB")));
        Assert.Equal(1, cluster.Count<Service>());
    }

    [Fact]
    public async Task An_update_keeps_the_spec_before_and_counts_its_version()
    {
        Service first = await cluster.CreateService();
        Service second = await cluster.UpdateService(first, s => s.Task.Container.Image = "redis:3.0.6");
        Service third = await cluster.UpdateService(second, s => s.Task.Container.Image = "redis:3.0.7");

        Assert.Equal("redis:3.0.6", third.PreviousSpec.Task.Container.Image);
        Assert.Equal(first.Meta.Version, second.SpecVersion);
        Assert.Equal(second.SpecVersion, third.PreviousSpecVersion);
        Assert.Equal(second.Meta.Version, third.SpecVersion);
        Assert.NotEqual(third.SpecVersion, third.Meta.Version);
    }

    [Fact]
    public async Task An_update_starts_without_the_status_of_the_one_before()
    {
        Service service = await cluster.CreateService();
        cluster.Change<Service>(service.Id, s => s.UpdateStatus = new() { State = UpdateStatus.Types.UpdateState.Paused });
        Assert.Null((await cluster.UpdateService(cluster.Get<Service>(service.Id), _ => { })).UpdateStatus);
    }

    [Fact]
    public async Task A_rollback_swaps_the_specs_and_ignores_the_one_sent()
    {
        Service first = await cluster.CreateService();
        Service second = await cluster.UpdateService(first, s => s.Task.Container.Image = "redis:3.0.6");
        Service back = await cluster.UpdateService(second, s => s.Task.Container.Image = "redis:9", Rollback.Previous);

        Assert.Equal("redis:3.0.5", back.Spec.Task.Container.Image);
        Assert.Equal("redis:3.0.6", back.PreviousSpec.Task.Container.Image);
        Assert.Equal(second.PreviousSpecVersion, back.SpecVersion);
        Assert.Equal(second.SpecVersion, back.PreviousSpecVersion);
        Assert.Equal(UpdateStatus.Types.UpdateState.RollbackStarted, back.UpdateStatus.State);
        Assert.Equal("manually requested rollback", back.UpdateStatus.Message);
    }

    [Fact]
    public async Task A_service_that_was_never_updated_cannot_go_back()
    {
        Service service = await cluster.CreateService();
        await ControlCluster.Refused(
            StatusCode.FailedPrecondition,
            $"service {service.Id} does not have a previous spec",
            () => cluster.UpdateService(service, _ => { }, Rollback.Previous));
    }

    [Fact]
    public async Task A_stale_update_is_out_of_sequence_and_changes_nothing()
    {
        Service service = await cluster.CreateService();
        Service updated = await cluster.UpdateService(service, s => s.Replicated.Replicas = 2);
        await ControlCluster.Refused(StatusCode.Unknown, "update out of sequence", () => cluster.UpdateService(service, s => s.Replicated.Replicas = 3));
        Assert.Equal(updated, cluster.Get<Service>(service.Id));
    }

    [Theory]
    [InlineData("service mode change is not allowed")]
    [InlineData("renaming services is not supported")]
    [InlineData("networks must be migrated to TaskSpec before being changed")]
    public async Task What_an_update_may_not_change(string words)
    {
        Service service = await cluster.CreateService();
        await ControlCluster.Refused(StatusCode.Unimplemented, words, () => cluster.UpdateService(service, s =>
        {
            switch (words[0])
            {
                case 's':
                    s.Global = new();
                    break;
                case 'r':
                    s.Annotations.Name = "other";
                    break;
                default:
#pragma warning disable CS0612 // what old clients write
                    s.Networks.Add(new NetworkAttachmentConfig { Target = "net" });
#pragma warning restore CS0612
                    break;
            }
        }));
    }

    [Fact]
    public async Task A_job_counts_its_runs()
    {
        ServiceSpec spec = ControlCluster.ServiceSpec();
        spec.ReplicatedJob = new() { MaxConcurrent = 1, TotalCompletions = 2 };
        Service service = await cluster.CreateService(spec);
        Assert.Equal(0UL, service.JobStatus.JobIteration.Index);
        Service again = await cluster.UpdateService(service, s => s.Task.ForceUpdate++);
        Assert.Equal(1UL, again.JobStatus.JobIteration.Index);
    }

    [Theory]
    [InlineData(Mode.Ingress, Mode.Ingress, "as an ingress port")]
    [InlineData(Mode.Ingress, Mode.Host, "as an ingress port")]
    [InlineData(Mode.Host, Mode.Ingress, "as a host-published port")]
    [InlineData(Mode.Host, Mode.Host, null)]
    public async Task A_port_of_the_mesh_is_the_whole_cluster_s(Mode held, Mode wanted, string? conflict)
    {
        Service holder = await cluster.CreateService(Publishing("holder", held));
        if (conflict is null)
        {
            await cluster.CreateService(Publishing("other", wanted));
            return;
        }
        string words = $"port '8080' is already in use by service 'holder' ({holder.Id}) {conflict}";
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.CreateService(Publishing("other", wanted)));
        Service other = await cluster.CreateService(ControlCluster.ServiceSpec("other"));
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.UpdateService(other, s => s.Endpoint = Publishing("x", wanted).Endpoint));
    }

    [Fact]
    public async Task A_service_does_not_conflict_with_itself_nor_tcp_with_udp()
    {
        Service service = await cluster.CreateService(Publishing("web", Mode.Ingress));
        await cluster.UpdateService(service, s => s.Endpoint.Ports.Add(new PortConfig { PublishedPort = 8081, TargetPort = 81 }));
        ServiceSpec udp = Publishing("udp", Mode.Ingress);
        udp.Endpoint.Ports[0].Protocol = PortConfig.Types.Protocol.Udp;
        await cluster.CreateService(udp);
    }

    [Fact]
    public async Task Ports_that_were_chosen_for_a_service_are_taken_too()
    {
        Service service = await cluster.CreateService();
        cluster.Change<Service>(service.Id, s => s.Endpoint = new() { Ports = { new PortConfig { PublishedPort = 8080, TargetPort = 80 } } });
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "port '8080' is already in use by service 'web'", () => cluster.CreateService(Publishing("other", Mode.Ingress)));
    }

    [Fact]
    public async Task Defaults_are_filled_in_only_when_asked_for()
    {
        Service service = await cluster.CreateService();
        Service plain = (await cluster.Api.GetService(new() { ServiceId = service.Id }, null!)).Service;
        Service full = (await cluster.Api.GetService(new() { ServiceId = service.Id, InsertDefaults = true }, null!)).Service;
        Assert.Null(plain.Spec.Update);
        Assert.Equal(1UL, full.Spec.Update.Parallelism);
        Assert.Equal(10, full.Spec.Task.Container.StopGracePeriod.Seconds);
        Assert.Null(cluster.Get<Service>(service.Id).Spec.Update);
    }

    [Fact]
    public async Task Lists_are_by_id_and_filters_all_apply()
    {
        ServiceSpec labelled = ControlCluster.ServiceSpec("redis");
        labelled.Annotations.Labels["tier"] = "db";
        Service redis = await cluster.CreateService(labelled);
        Service web = await cluster.CreateService();

        Assert.Equal(new[] { redis.Id, web.Id }.Order(StringComparer.Ordinal), await Ids(null));
        Assert.Equal([redis.Id], await Ids(new() { Names = { "redis" } }));
        Assert.Equal([redis.Id], await Ids(new() { NamePrefixes = { "re" } }));
        Assert.Equal([web.Id], await Ids(new() { IdPrefixes = { web.Id } }));
        Assert.Equal([redis.Id], await Ids(new() { Labels = { ["tier"] = "" } }));
        Assert.Empty(await Ids(new() { Labels = { ["tier"] = "web" } }));
        Assert.Empty(await Ids(new() { Names = { "redis" }, IdPrefixes = { web.Id } }));
        Assert.Equal(2, (await Ids(new() { Runtimes = { "container" } })).Count);
        Assert.Empty(await Ids(new() { Runtimes = { "process" } }));
    }

    [Fact]
    public async Task Statuses_count_what_is_wanted_and_what_runs()
    {
        Service service = await cluster.CreateService(ControlCluster.ServiceSpec("web", 3));
        cluster.Add(new SwarmTask { Id = "t1", ServiceId = service.Id, DesiredState = TaskState.Running, Status = new() { State = TaskState.Running } });
        cluster.Add(new SwarmTask { Id = "t2", ServiceId = service.Id, DesiredState = TaskState.Running, Status = new() { State = TaskState.Pending } });
        var statuses = (await cluster.Api.ListServiceStatuses(new() { Services = { service.Id, "gone" } }, null!)).Statuses;
        Assert.Equal((3UL, 1UL), (statuses[0].DesiredTasks, statuses[0].RunningTasks));
        Assert.Equal(("gone", 0UL), (statuses[1].ServiceId, statuses[1].DesiredTasks));
    }

    [Fact]
    public async Task Removing_removes_and_what_is_gone_is_not_found()
    {
        Service service = await cluster.CreateService();
        await cluster.Api.RemoveService(new() { ServiceId = service.Id }, null!);
        Assert.Equal(0, cluster.Count<Service>());
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => cluster.Api.GetService(new() { ServiceId = service.Id }, null!),
            () => cluster.Api.RemoveService(new() { ServiceId = service.Id }, null!),
            () => cluster.UpdateService(service, _ => { }),
        })
        {
            await ControlCluster.Refused(StatusCode.NotFound, $"service {service.Id} not found", call);
        }
    }

    [Fact]
    public async Task Fields_of_a_newer_client_come_back_as_they_were()
    {
        // Field 99, a string, which no version knows.
        ServiceSpec spec = ServiceSpec.Parser.ParseFrom([.. ControlCluster.ServiceSpec().ToByteArray(), 0x9a, 0x06, 1, (byte)'x']);
        Service service = await cluster.CreateService(spec);
        byte[] stored = cluster.Get<Service>(service.Id).Spec.ToByteArray();
        Assert.Equal([0x9a, 0x06, 1, (byte)'x'], stored[^4..]);
    }

    public void Dispose() => cluster.Dispose();

    private static ServiceSpec Publishing(string name, Mode mode)
    {
        ServiceSpec spec = ControlCluster.ServiceSpec(name);
        spec.Endpoint = new() { Ports = { new PortConfig { TargetPort = 80, PublishedPort = 8080, PublishMode = mode } } };
        return spec;
    }

    private async Task<List<string>> Ids(ListServicesRequest.Types.Filters? filters) =>
        [.. (await cluster.Api.ListServices(new() { Filters = filters }, null!)).Services.Select(s => s.Id)];
}

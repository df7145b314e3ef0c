using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Manager.Allocation;
using Skep.Store;
using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Tests.Allocation;

public sealed class AllocatorCoreTests : IDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);

    [Fact]
    public async Task A_task_that_needs_nothing_steps_from_new_to_pending()
    {
        await HaveAsync(Service("web"), NewTask("t", "web"));

        await AllocateAsync();

        SwarmTask task = Get<SwarmTask>("t");
        Assert.Equal(TaskState.Pending, task.Status.State);
        Assert.Equal("pending task scheduling", task.Status.Message);
        Assert.Empty(await AllocateAsync());
    }

    [Fact]
    public async Task Ports_are_chosen_from_30000_on_kept_and_copied_into_tasks()
    {
        await HaveAsync(Service("a", Port(80)), Service("b", Port(80), Port(81, 30_002)), NewTask("t", "b"));

        await AllocateAsync();

        Assert.Equal([30_000u], Published("a"));
        Assert.Equal([30_001u, 30_002u], Published("b"));
        Assert.Equal([30_001u, 30_002u], Get<SwarmTask>("t").Endpoint.Ports.Select(p => p.PublishedPort));

        await ChangeAsync<Service>("b", s => s.Spec.Endpoint.Ports.Add(Port(82)));
        await AllocateAsync();
        Assert.Equal([30_001u, 30_002u, 30_003u], Published("b"));
    }

    [Fact]
    public async Task A_port_in_use_keeps_the_tasks_new_with_the_reason_until_it_is_free()
    {
        await HaveAsync(Service("a", Port(80, 8080)));
        await AllocateAsync();
        await HaveAsync(Service("b", Port(80, 8080)), NewTask("t", "b"));

        await AllocateAsync();
        Assert.Equal(TaskState.New, Get<SwarmTask>("t").Status.State);
        Assert.Equal("port '8080' is already in use by service 'a' (a) as an ingress port", Get<SwarmTask>("t").Status.Err);
        Assert.Empty((await AllocateAsync()).OfType<ServiceAllocation>());

        await store.UpdateAsync(tx => tx.Remove<Service>("a"), TestContext.Current.CancellationToken);
        await AllocateAsync();
        Assert.Equal(TaskState.Pending, Get<SwarmTask>("t").Status.State);
        Assert.Equal("", Get<SwarmTask>("t").Status.Err);
        Assert.Equal([8080u], Published("b"));
    }

    [Fact]
    public async Task Protocols_have_their_own_ports_and_host_mode_ports_are_taken_as_they_are()
    {
        await HaveAsync(
            Service("tcp", Port(53, 53)),
            Service("udp", Port(53, 53, Protocol.Udp)),
            Service("host", Port(80, 53, mode: PublishMode.Host), Port(81, 30_000, mode: PublishMode.Host), Port(82, mode: PublishMode.Host)),
            Service("dynamic", Port(80)));

        await AllocateAsync();

        Assert.Equal([53u], Published("tcp"));
        Assert.Equal([53u], Published("udp"));
        Assert.Equal([53u, 30_000u, 0u], Published("host"));
        Assert.Equal([30_001u], Published("dynamic"));
    }

    [Fact]
    public async Task A_port_that_a_service_gives_up_is_free()
    {
        await HaveAsync(Service("a", Port(80, 8080)));
        await AllocateAsync();
        await ChangeAsync<Service>("a", s => s.Spec.Endpoint.Ports.Clear());
        await AllocateAsync();
        await HaveAsync(Service("b", Port(80, 8080)));

        await AllocateAsync();

        Assert.Empty(Published("a"));
        Assert.Equal([8080u], Published("b"));
    }

    [Fact]
    public async Task Networks_are_numbered_as_SwarmKit_numbers_them()
    {
        await HaveAsync(Net("one"), Net("two"), Net("ingress").With(n => n.Spec.Ingress = true), Net("own").With(n => n.Spec.Ipam = new()
        {
            Configs = { new IPAMConfig { Subnet = "192.168.7.0/24", Gateway = "192.168.7.254" } },
        }));

        await AllocateAsync();

        Assert.Equal("overlay 10.0.1.0/24 10.0.1.1 4097", Text("one"));
        Assert.Equal("overlay 10.0.2.0/24 10.0.2.1 4098", Text("two"));
        Assert.Equal("overlay 10.0.0.0/24 10.0.0.1 4096", Text("ingress"));
        Assert.Equal("overlay 192.168.7.0/24 192.168.7.254 4099", Text("own"));

        string Text(string id)
        {
            Network n = Get<Network>(id);
            return $"{n.DriverState.Name} {n.Ipam.Configs[0].Subnet} {n.Ipam.Configs[0].Gateway} {n.DriverState.Options[NetworkTable.VxlanOption]}";
        }
    }

    [Fact]
    public async Task The_clusters_own_pools_are_used()
    {
        await HaveAsync(new Cluster { Id = "c", Spec = new() { Annotations = new() { Name = "default" } }, DefaultAddressPool = { "172.20.0.0/23" }, SubnetSize = 25 });
        await HaveAsync(Net("a"), Net("b"), Net("c1"), Net("d"));
        await HaveAsync(Service("web").With(s => s.Spec.Task.Networks.Add(new NetworkAttachmentConfig { Target = "d" })), NewTask("t", "web"));

        await AllocateAsync();

        Assert.Equal("172.20.0.128/25", Get<Network>("a").Ipam.Configs[0].Subnet);
        Assert.Equal("172.20.1.128/25", Get<Network>("c1").Ipam.Configs[0].Subnet);
        Assert.Null(Get<Network>("d").DriverState);
        Assert.Equal("network d: the cluster's default address pools have no free subnet; name a subnet or remove a network", Get<SwarmTask>("t").Status.Err);

        await store.UpdateAsync(tx => tx.Remove<Network>("a"), TestContext.Current.CancellationToken);
        await AllocateAsync();
        Assert.Equal("172.20.0.128/25", Get<Network>("d").Ipam.Configs[0].Subnet);
        Assert.Equal(TaskState.Pending, Get<SwarmTask>("t").Status.State);
    }

    [Fact]
    public async Task A_subnet_that_overlaps_is_refused()
    {
        await HaveAsync(Net("a"));
        await AllocateAsync();
        await HaveAsync(Net("b").With(n => n.Spec.Ipam = new() { Configs = { new IPAMConfig { Subnet = "10.0.0.0/16" } } }));
        await HaveAsync(NewTask("t", "").With(t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = "b" })));

        await AllocateAsync();

        Assert.Equal("network b: subnet 10.0.0.0/16 overlaps with network a", Get<SwarmTask>("t").Status.Err);
    }

    [Fact]
    public async Task Services_and_tasks_get_addresses_that_are_freed_when_they_end()
    {
        await HaveAsync(Net("net"));
        await HaveAsync(Service("web").With(s => s.Spec.Task.Networks.Add(new NetworkAttachmentConfig { Target = "net" })));
        await HaveAsync(
            NewTask("t1", "web").With(t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = "net", Aliases = { "www" } })),
            On("net", NewTask("t2", "web")));

        await AllocateAsync();

        Assert.Equal("10.0.1.2/24", Get<Service>("web").Endpoint.VirtualIps.Single().Addr);
        NetworkAttachment attachment = Get<SwarmTask>("t1").Networks.Single();
        Assert.Equal(["10.0.1.3/24"], attachment.Addresses);
        Assert.Equal(["www"], attachment.Aliases);
        Assert.Equal("overlay", attachment.Network.DriverState.Name);
        Assert.Equal(["10.0.1.4/24"], Get<SwarmTask>("t2").Networks.Single().Addresses);

        await ChangeAsync<SwarmTask>("t1", t => t.Status.State = TaskState.Failed);
        await HaveAsync(NewTask("t3", "web").With(t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = "net", Addresses = { "10.0.1.3" } })));
        await AllocateAsync();
        Assert.Equal(["10.0.1.3/24"], Get<SwarmTask>("t3").Networks.Single().Addresses);
    }

    [Fact]
    public async Task A_Docker_Engine_worker_has_an_address_on_the_networks_of_its_tasks_for_as_long_as_they_run()
    {
        Node docker = Scheduling.A.Node("docker");
        docker.Description.Engine.Labels.Clear();
        await HaveAsync(docker, Scheduling.A.Node("skep"), Net("net"), On("net", NewTask("t1", "")), On("net", NewTask("t2", "")));
        await AllocateAsync();
        Assert.Empty(Get<Node>("docker").Attachments);

        await ChangeAsync<SwarmTask>("t1", t => (t.NodeId, t.Status.State) = ("docker", TaskState.Assigned));
        await ChangeAsync<SwarmTask>("t2", t => (t.NodeId, t.Status.State) = ("skep", TaskState.Assigned));
        await AllocateAsync();

        NetworkAttachment attachment = Get<Node>("docker").Attachments.Single();
        Assert.Equal("net", attachment.Network.Id);
        Assert.Equal(["10.0.1.4/24"], attachment.Addresses);
        Assert.Empty(Get<Node>("skep").Attachments);
        Assert.Empty(await AllocateAsync());

        await ChangeAsync<SwarmTask>("t1", t => t.Status.State = TaskState.Complete);
        await AllocateAsync();
        Assert.Empty(Get<Node>("docker").Attachments);
    }

    [Fact]
    public async Task A_network_without_addresses_left_says_so_and_is_not_written_again_and_again()
    {
        Node docker = Scheduling.A.Node("docker");
        docker.Description.Engine.Labels.Clear();
        await HaveAsync(docker, Net("net").With(n => n.Spec.Ipam = new() { Configs = { new IPAMConfig { Subnet = "10.5.0.0/30" } } }));
        await HaveAsync(On("net", NewTask("t1", "")), On("net", NewTask("t2", "")));
        await AllocateAsync();
        Assert.Equal(["10.5.0.2/30"], Get<SwarmTask>("t1").Networks.Single().Addresses);
        Assert.Equal("network net has no free address", Get<SwarmTask>("t2").Status.Err);

        await ChangeAsync<SwarmTask>("t1", t => (t.NodeId, t.Status.State) = ("docker", TaskState.Assigned));

        Assert.Empty(await AllocateAsync());
    }

    [Fact]
    public async Task What_was_given_is_held_after_a_restart()
    {
        await HaveAsync(Net("net"), Service("a", Port(80)).With(s => s.Spec.Task.Networks.Add(new NetworkAttachmentConfig { Target = "net" })), On("net", NewTask("t1", "a")));
        await AllocateAsync();

        // AllocateAsync builds its core from the store each time, as a new leader does.
        await HaveAsync(Net("net2"), Service("b", Port(80)), On("net", NewTask("t2", "a")));
        await AllocateAsync();

        Assert.Equal([30_000u], Published("a"));
        Assert.Equal([30_001u], Published("b"));
        Assert.Equal("10.0.2.0/24", Get<Network>("net2").Ipam.Configs[0].Subnet);
        Assert.Equal(["10.0.1.4/24"], Get<SwarmTask>("t2").Networks.Single().Addresses);
    }

    [Fact]
    public async Task A_network_that_is_not_there_is_named()
    {
        await HaveAsync(NewTask("t", "").With(t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = "nowhere" })));

        await AllocateAsync();

        Assert.Equal("network nowhere not found", Get<SwarmTask>("t").Status.Err);
    }

    [Fact]
    public async Task An_allocation_for_an_object_that_changed_is_taken_back_and_made_again()
    {
        await HaveAsync(Service("a", Port(80)));
        AllocatorCore core = store.Read(AllocatorCore.From);
        List<Skep.Manager.Allocation.Allocation> decided = core.Decide();
        (_, StoreSubscription since) = store.ReadAndSubscribe(_ => 0);
        await ChangeAsync<Service>("a", s => s.Spec.Endpoint.Ports[0].PublishedPort = 8080);

        await store.UpdateAsync(tx => Assert.False(decided.Single().TryWrite(tx, new())), TestContext.Current.CancellationToken);
        core.TakeBack(decided.Single());
        Assert.True(since.Commits.TryRead(out StoreCommit? commit));
        Assert.True(core.Note(commit.Changes.Single()));

        Assert.Equal(8080u, Assert.IsType<ServiceAllocation>(core.Decide().Single()).Endpoint.Ports.Single().PublishedPort);
    }

    public void Dispose() => store.Dispose();

    private static Service Service(string id, params PortConfig[] ports) => new()
    {
        Id = id,
        Spec = new() { Annotations = new() { Name = id }, Task = new(), Endpoint = new() { Ports = { ports } } },
    };

    private static PortConfig Port(uint target, uint published = 0, Protocol protocol = Protocol.Tcp, PublishMode mode = PublishMode.Ingress) =>
        new() { TargetPort = target, PublishedPort = published, Protocol = protocol, PublishMode = mode };

    private static Network Net(string id) => new() { Id = id, Spec = new() { Annotations = new() { Name = id } } };

    private static SwarmTask NewTask(string id, string service) => Scheduling.A.Task(id, service, state: TaskState.New);

    private static SwarmTask On(string network, SwarmTask task) =>
        task.With(t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = network }));

    private IEnumerable<uint> Published(string service) => Get<Service>(service).Endpoint.Ports.Select(p => p.PublishedPort);

    private T Get<T>(string id)
        where T : class, Skep.Api.IStoreObject => store.Read(v => v.Get<T>(id))!;

    private Task<ulong> HaveAsync(params Skep.Api.IStoreObject[] objects) => store.UpdateAsync(
        tx =>
        {
            foreach (Skep.Api.IStoreObject o in objects)
            {
                switch (o)
                {
                    case Node n: tx.Create(n); break;
                    case Service s: tx.Create(s); break;
                    case Network net: tx.Create(net); break;
                    case Cluster c: tx.Create(c); break;
                    case SwarmTask t: tx.Create(t); break;
                }
            }
        },
        TestContext.Current.CancellationToken);

    private Task<ulong> ChangeAsync<T>(string id, Action<T> change)
        where T : class, Skep.Api.IStoreObject => store.UpdateAsync(
        tx =>
        {
            var copy = (T)tx.Get<T>(id)!.Copy();
            change(copy);
            tx.Update(copy);
        },
        TestContext.Current.CancellationToken);

    private async Task<List<Skep.Manager.Allocation.Allocation>> AllocateAsync()
    {
        List<Skep.Manager.Allocation.Allocation> decided = store.Read(AllocatorCore.From).Decide();
        await store.BatchAsync(
            decided,
            (tx, allocation) => Assert.True(allocation.TryWrite(tx, Timestamp.FromDateTime(DateTime.UnixEpoch))),
            TestContext.Current.CancellationToken);
        return decided;
    }
}

internal static class Changed
{
    public static Service With(this Service service, Action<Service> change)
    {
        Service copy = service.Clone();
        change(copy);
        return copy;
    }

    public static Network With(this Network network, Action<Network> change)
    {
        Network copy = network.Clone();
        change(copy);
        return copy;
    }

    public static SwarmTask With(this SwarmTask task, Action<SwarmTask> change) => Scheduling.A.With(task, change);
}

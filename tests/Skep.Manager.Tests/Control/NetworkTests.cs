using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Manager.Tests.Control;

public sealed class NetworkTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Theory]
    [InlineData("name", StatusCode.InvalidArgument, "name must be valid as a DNS name component")]
    [InlineData("attachable ingress", StatusCode.InvalidArgument, "ingress network cannot be attachable")]
    [InlineData("predefined", StatusCode.PermissionDenied, "label com.docker.swarm.predefined is for internally created predefined networks and cannot be applied by users")]
    [InlineData("nameless driver", StatusCode.InvalidArgument, "driver name: if driver is specified name is required")]
    [InlineData("unknown driver", StatusCode.InvalidArgument, "error during lookup of plugin weave")]
    [InlineData("ingress bridge", StatusCode.Unimplemented, "only overlay driver is currently supported for ingress network")]
    [InlineData("ipam driver", StatusCode.InvalidArgument, "error during lookup of plugin dhcp")]
    [InlineData("subnet", StatusCode.InvalidArgument, "ipam configuration: invalid subnet 10.0.0.0")]
    [InlineData("range", StatusCode.InvalidArgument, "ipam configuration: invalid range x")]
    [InlineData("range elsewhere", StatusCode.InvalidArgument, "ipam configuration: subnet 10.1.0.0/16 does not contain range 10.2.0.0/24")]
    [InlineData("gateway", StatusCode.InvalidArgument, "ipam configuration: invalid gateway x")]
    [InlineData("gateway elsewhere", StatusCode.InvalidArgument, "ipam configuration: subnet 10.1.0.0/16 does not contain gateway 10.2.0.1")]
    public async Task A_bad_spec_is_refused_and_nothing_is_created(string what, StatusCode code, string words)
    {
        var spec = new NetworkSpec { Annotations = new() { Name = "net" } };
        var ipam = new IPAMConfig { Subnet = "10.1.0.0/16" };
        switch (what)
        {
            case "name":
                spec.Annotations.Name = "a.b";
                break;
            case "attachable ingress":
                (spec.Attachable, spec.Ingress) = (true, true);
                break;
            case "predefined":
                spec.Annotations.Labels["com.docker.swarm.predefined"] = "true";
                break;
            case "nameless driver":
                spec.DriverConfig = new();
                break;
            case "unknown driver":
                spec.DriverConfig = new() { Name = "weave" };
                break;
            case "ingress bridge":
                (spec.Ingress, spec.DriverConfig) = (true, new() { Name = "bridge" });
                break;
            case "ipam driver":
                spec.Ipam = new() { Driver = new() { Name = "dhcp" } };
                break;
            case "subnet":
                ipam.Subnet = "10.0.0.0";
                break;
            case "range":
                ipam.Range = "x";
                break;
            case "range elsewhere":
                ipam.Range = "10.2.0.0/24";
                break;
            case "gateway":
                ipam.Gateway = "x";
                break;
            default:
                ipam.Gateway = "10.2.0.1";
                break;
        }
        spec.Ipam ??= new() { Configs = { ipam } };
        await ControlCluster.Refused(code, words, () => Create(spec));
        Assert.Equal(0, cluster.Count<Network>());
    }

    [Fact]
    public async Task A_network_is_made_found_and_removed()
    {
        Network network = await Create(new()
        {
            Annotations = new() { Name = "net" },
            DriverConfig = new() { Name = "overlay" },
            Ipam = new() { Driver = new() { Name = "default" }, Configs = { new IPAMConfig { Subnet = "10.1.2.3/16", Range = "10.1.4.0/24", Gateway = "10.1.0.1" } } },
        });
        Assert.Equal("net", (await cluster.Api.GetNetwork(new() { NetworkId = network.Id }, null!)).Network.Spec.Annotations.Name);
        Assert.Single((await cluster.Api.ListNetworks(new() { Filters = new() { NamePrefixes = { "n" } } }, null!)).Networks);
        await ControlCluster.Refused(
            StatusCode.AlreadyExists, "name conflicts with an existing object: network net already exists", () => Create(new() { Annotations = new() { Name = "net" } }));
        await Remove(network.Id);
        await ControlCluster.Refused(StatusCode.NotFound, $"network {network.Id} not found", () => Remove(network.Id));
    }

    [Fact]
    public async Task A_network_in_use_is_not_removed()
    {
        Network network = await Create(new() { Annotations = new() { Name = "net" } });
        ServiceSpec spec = ControlCluster.ServiceSpec();
        spec.Task.Networks.Add(new NetworkAttachmentConfig { Target = network.Id });
        Service service = await cluster.CreateService(spec);
        await ControlCluster.Refused(StatusCode.FailedPrecondition, $"network {network.Id} is in use by service {service.Id}", () => Remove(network.Id));
        await cluster.Api.RemoveService(new() { ServiceId = service.Id }, null!);
        cluster.Add(new SwarmTask { Id = "t1", DesiredState = TaskState.Running, Status = new() { State = TaskState.Running }, Networks = { new NetworkAttachment { Network = network } } });
        await ControlCluster.Refused(StatusCode.FailedPrecondition, $"network {network.Id} is in use by task t1", () => Remove(network.Id));
        cluster.Change<SwarmTask>("t1", t => t.Status.State = TaskState.Shutdown);
        await Remove(network.Id);
    }

    [Fact]
    public async Task There_is_one_ingress_network_nobody_attaches_to_it_and_services_hold_it()
    {
        Network ingress = await Create(new() { Annotations = new() { Name = "ingress" }, Ingress = true });
        await ControlCluster.Refused(
            StatusCode.AlreadyExists, $"ingress network ({ingress.Id}) is already present", () => Create(new() { Annotations = new() { Name = "other" }, Ingress = true }));

        ServiceSpec attached = ControlCluster.ServiceSpec();
        attached.Task.Networks.Add(new NetworkAttachmentConfig { Target = ingress.Id });
        await ControlCluster.Refused(
            StatusCode.InvalidArgument, "Service cannot be explicitly attached to the ingress network \"ingress\"", () => cluster.CreateService(attached));

        ServiceSpec publishing = ControlCluster.ServiceSpec();
        publishing.Endpoint = new() { Ports = { new PortConfig { TargetPort = 80 } } };
        Service service = await cluster.CreateService(publishing);
        await ControlCluster.Refused(
            StatusCode.FailedPrecondition, $"ingress network cannot be removed because service {service.Id} depends on it", () => Remove(ingress.Id));
    }

    [Fact]
    public async Task A_predefined_network_stays()
    {
        cluster.Add(new Network { Id = "host", Spec = new() { Annotations = new() { Name = "host", Labels = { ["com.docker.swarm.predefined"] = "true" } } } });
        await ControlCluster.Refused(StatusCode.FailedPrecondition, "network host (host) is a swarm predefined network and cannot be removed", () => Remove("host"));
    }

    public void Dispose() => cluster.Dispose();

    private async Task<Network> Create(NetworkSpec spec) => (await cluster.Api.CreateNetwork(new() { Spec = spec }, null!)).Network;

    private Task Remove(string id) => cluster.Api.RemoveNetwork(new() { NetworkId = id }, null!);
}

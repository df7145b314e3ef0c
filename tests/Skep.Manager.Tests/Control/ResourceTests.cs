using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Manager.Tests.Control;

public sealed class ResourceTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task A_resource_belongs_to_an_extension_which_stays_as_long_as_it_does()
    {
        await ControlCluster.Refused(StatusCode.InvalidArgument, "Kind fruit is not registered", () => MakeResource("apple"));
        Extension fruit = (await cluster.Api.CreateExtension(new() { Annotations = new() { Name = "fruit" }, Description = "sweet" }, null!)).Extension;
        Resource apple = await MakeResource("apple");
        await ControlCluster.Refused(StatusCode.AlreadyExists, "A resource with name apple already exists", () => MakeResource("apple"));
        await ControlCluster.Refused(
            StatusCode.InvalidArgument, "extension 'fruit' is in use by the following resource: apple", () => cluster.Api.RemoveExtension(new() { ExtensionId = fruit.Id }, null!));
        await cluster.Api.RemoveResource(new() { ResourceId = apple.Id }, null!);
        await cluster.Api.RemoveExtension(new() { ExtensionId = fruit.Id }, null!);
        await ControlCluster.Refused(StatusCode.NotFound, $"resource {apple.Id} not found", () => cluster.Api.RemoveResource(new() { ResourceId = apple.Id }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, $"could not find extension {fruit.Id}", () => cluster.Api.RemoveExtension(new() { ExtensionId = fruit.Id }, null!));
    }

    [Fact]
    public async Task A_resource_s_payload_and_labels_change_and_its_name_does_not()
    {
        await cluster.Api.CreateExtension(new() { Annotations = new() { Name = "fruit" } }, null!);
        Resource apple = await MakeResource("apple");
        Resource updated = (await cluster.Api.UpdateResource(new() { ResourceId = apple.Id, ResourceVersion = apple.Meta.Version, Payload = new Any { TypeUrl = "y" } }, null!)).Resource;
        Assert.Equal(("apple", "y"), (updated.Annotations.Name, updated.Payload.TypeUrl));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "cannot change resource name", () => cluster.Api.UpdateResource(
            new() { ResourceId = apple.Id, ResourceVersion = updated.Meta.Version, Annotations = new() { Name = "pear" } }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "update out of sequence", () => cluster.Api.UpdateResource(
            new() { ResourceId = apple.Id, ResourceVersion = new() { Index = 1 } }, null!));
        Assert.Single((await cluster.Api.ListResources(new() { Filters = new() { Kind = "fruit" } }, null!)).Resources);
        Assert.Empty((await cluster.Api.ListResources(new() { Filters = new() { Kind = "nut" } }, null!)).Resources);
    }

    [Theory]
    [InlineData("fruit")]
    [InlineData("Node")]
    public async Task An_extension_has_a_name_of_its_own(string name)
    {
        await cluster.Api.CreateExtension(new() { Annotations = new() { Name = "fruit" } }, null!);
        await ControlCluster.Refused(StatusCode.AlreadyExists, $"extension {name} already exists", () => cluster.Api.CreateExtension(new() { Annotations = new() { Name = name } }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "extension name must be provided", () => cluster.Api.CreateExtension(new(), null!));
    }

    [Fact]
    public async Task Cluster_volumes_are_checked_and_then_refused_with_the_reason()
    {
        await ControlCluster.Refused(StatusCode.InvalidArgument, "driver must be specified", () => cluster.Api.CreateVolume(new() { Spec = new() }, null!));
        await ControlCluster.RefusedAbout(StatusCode.Unimplemented, "cluster (CSI) volumes are not supported", () => cluster.Api.CreateVolume(
            new() { Spec = new() { Annotations = new() { Name = "v" }, Driver = new(), AccessMode = new() { Mount = new() } } }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, "volume v not found", () => cluster.Api.GetVolume(new() { VolumeId = "v" }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, "volume v not found", () => cluster.Api.RemoveVolume(new() { VolumeId = "v" }, null!));
        Assert.Empty((await cluster.Api.ListVolumes(new(), null!)).Volumes);
    }

    [Fact]
    public void Every_method_of_the_contract_is_answered()
    {
        var own = typeof(Skep.Manager.Control.ControlService).GetMethods()
            .Where(m => m.DeclaringType == typeof(Skep.Manager.Control.ControlService))
            .Select(m => m.Name)
            .ToHashSet();
        Assert.Empty(Docker.Swarmkit.V1.Control.Descriptor.Methods.Select(m => m.Name).Where(m => !own.Contains(m)));
    }

    public void Dispose() => cluster.Dispose();

    private async Task<Resource> MakeResource(string name) =>
        (await cluster.Api.CreateResource(new() { Annotations = new() { Name = name }, Kind = "fruit", Payload = new Any { TypeUrl = "x" } }, null!)).Resource;
}

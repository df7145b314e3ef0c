using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Health;
using Skep.Manager.Tests.Support;
using static Docker.Swarmkit.V1.HealthCheckResponse.Types;

namespace Skep.Manager.Tests.Health;

public sealed class HealthTests
{
    [Fact]
    public async Task Each_part_says_for_itself_whether_it_serves_and_an_unknown_part_is_not_found()
    {
        var health = new HealthService();
        using Call call = Call.From("n1");
        health.Set(HealthService.Raft, true);
        health.Set(HealthService.ControlApi, false);
        Assert.Equal(ServingStatus.Serving, (await health.Check(new() { Service = "Raft" }, call)).Status);
        Assert.Equal(ServingStatus.NotServing, (await health.Check(new() { Service = "ControlAPI" }, call)).Status);
        Assert.Equal(ServingStatus.Serving, (await health.Check(new(), call)).Status);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => health.Check(new() { Service = "Mesh" }, call))).StatusCode);
    }
}

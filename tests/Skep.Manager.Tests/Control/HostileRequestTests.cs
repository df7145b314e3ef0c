using CsCheck;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.Manager.Why;

namespace Skep.Manager.Tests.Control;

/// <summary>Requests nobody would write: whatever can be read is taken or refused, and never breaks the manager.</summary>
public sealed class HostileRequestTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public void A_service_spec_with_flipped_bytes_is_taken_or_refused() => Flipped(WholeSpec()).Sample(
        bytes =>
        {
            if (TryRead(ServiceSpec.Parser, bytes) is { } spec)
            {
                Service? made = TakenOrRefused(() => cluster.CreateService(spec));
                if (made is not null)
                {
                    // What was taken can be explained, shown and taken away again.
                    Assert.NotNull(TakenOrRefused(() => new WhyExplainer(cluster.Store, cluster.Time).WhyService(new() { Service = made.Id }, null!)));
                    Assert.NotNull(TakenOrRefused(() => cluster.Api.GetService(new() { ServiceId = made.Id, InsertDefaults = true }, null!)));
                    Assert.NotNull(TakenOrRefused(() => cluster.Api.RemoveService(new() { ServiceId = made.Id }, null!)));
                }
            }
        },
        iter: 3_000,
        threads: 1);

    [Fact]
    public void A_cluster_spec_with_flipped_bytes_is_taken_or_refused() => Flipped(cluster.Cluster.Spec).Sample(
        bytes =>
        {
            if (TryRead(ClusterSpec.Parser, bytes) is { } spec)
            {
                TakenOrRefused(() => cluster.Api.UpdateCluster(
                    new() { ClusterId = cluster.Cluster.Id, ClusterVersion = cluster.Cluster.Meta.Version, Spec = spec }, null!));
            }
        },
        iter: 2_000,
        threads: 1);

    [Fact]
    public void A_network_spec_with_flipped_bytes_is_taken_or_refused() => Flipped(new NetworkSpec
    {
        Annotations = new() { Name = "net", Labels = { ["a"] = "b" } },
        DriverConfig = new() { Name = "overlay" },
        Ipam = new() { Driver = new() { Name = "default" }, Configs = { new IPAMConfig { Subnet = "10.1.0.0/16", Range = "10.1.1.0/24", Gateway = "10.1.0.1" } } },
    }).Sample(
        bytes =>
        {
            if (TryRead(NetworkSpec.Parser, bytes) is { } spec)
            {
                TakenOrRefused(() => cluster.Api.CreateNetwork(new() { Spec = spec }, null!));
            }
        },
        iter: 2_000,
        threads: 1);

    public void Dispose() => cluster.Dispose();

    private static ServiceSpec WholeSpec() => new()
    {
        Annotations = new() { Name = "web", Labels = { ["a"] = "b" } },
        Replicated = new() { Replicas = 2 },
        Task = new()
        {
            Container = new()
            {
                Image = "redis:3.0.5",
                Env = { "A=b" },
                Mounts = { new Mount { Type = Mount.Types.Type.Tmpfs, Target = "/t", TmpfsOptions = new() { SizeBytes = 9 } } },
                Healthcheck = new() { Test = { "CMD", "x" }, Interval = new Duration { Seconds = 1 } },
                Ulimits = { new ContainerSpec.Types.Ulimit { Name = "nofile", Soft = 1, Hard = 2 } },
                DnsConfig = new() { Nameservers = { "1.1.1.1" } },
                StopGracePeriod = new Duration { Seconds = 5 },
            },
            Resources = new() { Reservations = new() { MemoryBytes = 1 << 30, NanoCpus = 1_000_000_000 } },
            Restart = new() { Condition = RestartPolicy.Types.RestartCondition.Any, Delay = new Duration { Seconds = 5 }, MaxAttempts = 3 },
            Placement = new() { Constraints = { "node.role==worker" } },
        },
        Update = new() { Parallelism = 2, Delay = new Duration { Seconds = 10 }, MaxFailureRatio = 0.5f },
        Endpoint = new() { Ports = { new PortConfig { TargetPort = 80, PublishedPort = 8080 } } },
    };

    private static Gen<byte[]> Flipped(IMessage message)
    {
        byte[] whole = message.ToByteArray();
        return Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).List[1, 4].Select(flips =>
        {
            byte[] bytes = [.. whole];
            foreach ((int at, byte value) in flips)
            {
                bytes[at] = value;
            }
            return bytes;
        });
    }

    private static T? TryRead<T>(MessageParser<T> parser, byte[] bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException)
        {
            // Google's parser says InvalidOperation of a wrapped number that is cut off within another message.
            return null;
        }
    }

    // The in-memory store answers at once, so nothing is waited for.
    private static T? TakenOrRefused<T>(Func<Task<T>> call)
        where T : class
    {
        try
        {
            Task<T> answer = call();
            Assert.True(answer.IsCompleted, "the store answered late");
            return answer.GetAwaiter().GetResult();
        }
        catch (RpcException e)
        {
            Assert.NotEqual(StatusCode.Internal, e.StatusCode);
            return null;
        }
    }
}

using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.V1;
using Mount = Docker.Swarmkit.V1.Mount;

namespace Skep.Manager.Tests.Control;

/// <summary>What a service spec must keep to: each bad one is refused by name and value, and nothing comes of it.</summary>
public sealed class ServiceRuleTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    public static TheoryData<string, string> BadSpecs()
    {
        var rows = new TheoryData<string, string>();
        foreach ((string name, (_, string words)) in Cases)
        {
            rows.Add(name, words);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(BadSpecs))]
    public async Task A_bad_spec_is_refused_and_nothing_is_created(string name, string words)
    {
        ServiceSpec spec = ControlCluster.ServiceSpec();
        Cases[name].Spoil(spec);
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.CreateService(spec));
        Assert.Equal(0, cluster.Count<Service>());
    }

    [Theory]
    [MemberData(nameof(BadSpecs))]
    public async Task A_bad_spec_is_refused_of_an_update_too_and_nothing_changes(string name, string words)
    {
        Service service = await cluster.CreateService();
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.UpdateService(service, Cases[name].Spoil));
        Assert.Equal(service, cluster.Get<Service>(service.Id));
    }

    [Fact]
    public Task A_request_without_a_spec_is_refused() =>
        ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.CreateService(new(), null!));

    [Fact]
    public Task Attachments_are_not_a_service_s_to_make() => ControlCluster.Refused(
        StatusCode.Unimplemented,
        "RuntimeSpec: unimplemented runtime in service spec",
        () => cluster.CreateService(With(s => s.Task = new() { Attachment = new() { ContainerId = "x" } })));

    [Fact]
    public Task Cluster_volumes_are_refused_with_the_reason() => ControlCluster.RefusedAbout(
        StatusCode.Unimplemented,
        "cluster (CSI) volumes are not supported",
        () => cluster.CreateService(With(s => s.Task.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Cluster, Source = "v", Target = "/v" }))));

    [Fact]
    public async Task What_is_at_its_bounds_is_taken()
    {
        Service service = await cluster.CreateService(With(s =>
        {
            s.Annotations.Name = new string('a', 63);
            s.Task.Resources = new() { Reservations = new() { MemoryBytes = 4 << 20, NanoCpus = 1_000_000 }, Limits = new() };
            s.Task.Placement = new() { Constraints = { "node.labels.zone==a", "engine.labels.x != y", "node.ip==10.0.0.0/8" } };
            s.Task.Container.Healthcheck = new() { Test = { "CMD-SHELL", "true" }, Interval = GoMs(1) };
            s.Task.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Volume, Target = "/data" });
            s.Task.Container.Env.Add("A={{.Node.Hostname}}");
            s.Update = new() { MaxFailureRatio = 1, Delay = GoMs(0) };
            s.Endpoint = new() { Ports = { new PortConfig { TargetPort = 80, PublishedPort = 8080 }, new PortConfig { TargetPort = 53, PublishedPort = 8080, Protocol = PortConfig.Types.Protocol.Udp } } };
        }));
        Assert.NotEmpty(service.Id);
    }

    [Fact]
    public async Task A_process_with_a_secret_it_references_is_taken()
    {
        Secret secret = await cluster.CreateSecret("key");
        var process = new ProcessSpec { Command = { "sleep", "1" }, Secrets = { new SecretReference { SecretId = secret.Id, SecretName = "key", File = new() { Name = "key" } } } };
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "secret key is not in the task's resource references", () => cluster.CreateService(With(s => s.Task = Process(process))));
        await cluster.CreateService(With(s =>
        {
            s.Task = Process(process);
            s.Task.ResourceReferences.Add(new ResourceReference { ResourceId = secret.Id, ResourceType = ResourceType.Secret });
        }));
        await ControlCluster.Refused(
            StatusCode.InvalidArgument,
            "secret 'key' is in use by the following service: web",
            () => cluster.Api.RemoveSecret(new() { SecretId = secret.Id }, null!));
    }

    [Fact]
    public async Task A_process_cannot_have_a_host_port_that_leads_to_another()
    {
        var process = new ProcessSpec { Command = { "httpd" } };
        var port = new PortConfig { TargetPort = 80, PublishedPort = 8080, PublishMode = PortConfig.Types.PublishMode.Host };
        void Publish(ServiceSpec s)
        {
            s.Task = Process(process);
            s.Endpoint = new() { Ports = { port } };
        }
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "port 8080 in host mode cannot lead to 80: a process listens on the host itself", () => cluster.CreateService(With(Publish)));
        port.PublishMode = PortConfig.Types.PublishMode.Ingress;
        await cluster.CreateService(With(Publish));
    }

    public void Dispose() => cluster.Dispose();

    private static ServiceSpec With(Action<ServiceSpec> change)
    {
        ServiceSpec spec = ControlCluster.ServiceSpec();
        change(spec);
        return spec;
    }

    private static Duration GoMs(long ms) => Skep.Api.GoDuration.FromNanoseconds(ms * 1_000_000);

    private static TaskSpec Process(ProcessSpec process) => new()
    {
        Generic = new() { Kind = "process", Payload = new() { TypeUrl = "type.skep.io/skep.v1.ProcessSpec", Value = process.ToByteString() } },
    };

    private static Mount Tmpfs(string target) => new() { Type = Mount.Types.Type.Tmpfs, Target = target };

    private static readonly Dictionary<string, (Action<ServiceSpec> Spoil, string Words)> Cases = new()
    {
        ["no name"] = (s => s.Annotations = null, "meta: name must be provided"),
        ["empty name"] = (s => s.Annotations.Name = "", "meta: name must be provided"),
        ["name with a dot"] = (s => s.Annotations.Name = "a.b", "name must be valid as a DNS name component"),
        ["name that ends with a dash"] = (s => s.Annotations.Name = "a-", "name must be valid as a DNS name component"),
        ["name of 64"] = (s => s.Annotations.Name = new string('a', 64), "name must be 63 characters or fewer"),
        ["little memory limit"] = (s => s.Task.Resources = new() { Limits = new() { MemoryBytes = (4 << 20) - 1 } }, "invalid memory value 4194303: Must be at least 4MiB"),
        ["little memory reserved"] = (s => s.Task.Resources = new() { Reservations = new() { MemoryBytes = -1 } }, "invalid memory value -1: Must be at least 4MiB"),
        ["little cpu"] = (s => s.Task.Resources = new() { Limits = new() { NanoCpus = 999_999 } }, "invalid cpu value 0.000999999: Must be at least 0.001"),
        ["swap"] = (s => s.Task.Resources = new() { SwapBytes = -2 }, "invalid swap value -2: Must be -1 for no limit, or a number of bytes"),
        ["swappiness"] = (s => s.Task.Resources = new() { MemorySwappiness = 101 }, "invalid memory swappiness value 101: Must be between 0 and 100, or -1"),
        ["negative restart delay"] = (s => s.Task.Restart = new() { Delay = GoMs(-1) }, "TaskSpec: restart-delay cannot be negative"),
        ["negative restart window"] = (s => s.Task.Restart = new() { Window = GoMs(-1) }, "TaskSpec: restart-window cannot be negative"),
        ["unknown restart condition"] = (s => s.Task.Restart = new() { Condition = (RestartPolicy.Types.RestartCondition)9 }, "TaskSpec: restart condition: 9 is not a value this manager knows"),
        ["duration that is none"] = (s => s.Task.Restart = new() { Delay = new() { Seconds = 1, Nanos = -1 } }, "TaskSpec: restart-delay: 1 seconds and -1 nanoseconds are not a duration"),
        ["constraint without operator"] = (s => s.Task.Placement = new() { Constraints = { "node.role=manager" } }, "invalid constraint \"node.role=manager\": constraint expected one operator from ==, !="),
        ["constraint with a bad key"] = (s => s.Task.Placement = new() { Constraints = { "node role==x" } }, "invalid constraint \"node role==x\": key 'node role' is invalid"),
        ["constraint without value"] = (s => s.Task.Placement = new() { Constraints = { "node.role==" } }, "invalid constraint \"node.role==\": value '' is invalid"),
        ["no runtime"] = (s => s.Task = new(), "TaskSpec: missing runtime"),
        ["no task"] = (s => s.Task = null, "TaskSpec: missing runtime"),
        ["no image"] = (s => s.Task.Container.Image = "", "ContainerSpec: image reference must be provided"),
        ["bad image"] = (s => s.Task.Container.Image = "Redis:3", "ContainerSpec: \"Redis:3\" is not a valid repository/tag"),
        ["two mounts on one place"] = (s => s.Task.Container.Mounts.Add([Tmpfs("/a"), Tmpfs("/a")]), "ContainerSpec: duplicate mount point: /a"),
        ["relative mount"] = (s => s.Task.Container.Mounts.Add(Tmpfs("a")), "ContainerSpec: invalid mount target, must be an absolute path: \"a\""),
        ["relative bind"] = (s => s.Task.Container.Mounts.Add(new Mount { Source = "a", Target = "/a" }), "ContainerSpec: invalid bind mount source, must be an absolute path: \"a\""),
        ["short health interval"] = (s => s.Task.Container.Healthcheck = new() { Interval = new() { Nanos = 999_999 } }, "ContainerSpec: Interval in HealthConfig cannot be less than 1ms"),
        ["short health timeout"] = (s => s.Task.Container.Healthcheck = new() { Timeout = new() { Nanos = 1 } }, "ContainerSpec: Timeout in HealthConfig cannot be less than 1ms"),
        ["short health start"] = (s => s.Task.Container.Healthcheck = new() { StartPeriod = GoMs(-1) }, "ContainerSpec: StartPeriod in HealthConfig cannot be less than 1ms"),
        ["negative retries"] = (s => s.Task.Container.Healthcheck = new() { Retries = -1 }, "ContainerSpec: Retries in HealthConfig cannot be negative"),
        ["template that does not end"] = (s => s.Task.Container.Hostname = "{{.Node", "expanding hostname failed: template \"{{.Node\" has {{ without }}"),
        ["env without name"] = (s => s.Task.Container.Env.Add("=x"), "ContainerSpec: environment variable \"=x\" is not NAME=VALUE"),
        ["nameserver"] = (s => s.Task.Container.DnsConfig = new() { Nameservers = { "dns" } }, "ContainerSpec: nameserver \"dns\" is not an IP address"),
        ["sysctl"] = (s => s.Task.Container.Sysctls[""] = "1", "ContainerSpec: sysctl \"=1\" has no key such as net.core.somaxconn"),
        ["ulimit"] = (s => s.Task.Container.Ulimits.Add(new ContainerSpec.Types.Ulimit { Name = "nofile", Soft = 2, Hard = 1 }), "ContainerSpec: ulimit soft limit must be less than or equal to hard limit: nofile=2:1"),
        ["oom score"] = (s => s.Task.Container.OomScoreAdj = 1001, "ContainerSpec: oom_score_adj 1001 is not between -1000 and 1000"),
        ["secret without id"] = (s => s.Task.Container.Secrets.Add(new SecretReference { SecretName = "a" }), "malformed secret reference"),
        ["secret without target"] = (s => s.Task.Container.Secrets.Add(new SecretReference { SecretId = "1", SecretName = "a" }), "malformed secret reference, no target provided"),
        ["secret without file name"] = (s => s.Task.Container.Secrets.Add(new SecretReference { SecretId = "1", SecretName = "a", File = new() }), "malformed file secret reference, invalid target file name provided"),
        ["secrets on one file"] = (s => s.Task.Container.Secrets.Add([SecretAt("a"), SecretAt("b")]), "secret references 'a' and 'b' have a conflicting target: 'f'"),
        ["secret that is not there"] = (s => s.Task.Container.Secrets.Add(SecretAt("a")), "secret not found: a"),
        ["config without id"] = (s => s.Task.Container.Configs.Add(new ConfigReference { ConfigName = "a" }), "malformed config reference"),
        ["config without target"] = (s => s.Task.Container.Configs.Add(new ConfigReference { ConfigId = "1", ConfigName = "a" }), "malformed config reference, no target provided"),
        ["configs on one file"] = (s => s.Task.Container.Configs.Add([ConfigAt("a"), ConfigAt("b")]), "config references 'a' and 'b' have a conflicting target: 'f'"),
        ["configs that are not there"] = (s => s.Task.Container.Configs.Add([ConfigAt("a"), ConfigAt("b", "g")]), "configs not found: a, b"),
        ["credential spec"] = (
            s => s.Task.Container.Privileges = new() { CredentialSpec = new() { Config = "c" } },
            "CredentialSpec references config 'c', but that config isn't in config references with RuntimeTarget"),
        ["short generic kind"] = (s => s.Task = new() { Generic = new() { Kind = "ab" } }, "Generic runtime: Invalid name \"ab\""),
        ["reserved generic kind"] = (s => s.Task = new() { Generic = new() { Kind = "Container" } }, "Generic runtime: \"Container\" is a reserved name"),
        ["generic without payload"] = (s => s.Task = new() { Generic = new() { Kind = "abc" } }, "Generic runtime is missing payload"),
        ["generic without payload type"] = (s => s.Task = new() { Generic = new() { Kind = "abc", Payload = new() } }, "Generic runtime is missing payload type"),
        ["generic with empty payload"] = (s => s.Task = new() { Generic = new() { Kind = "abc", Payload = new() { TypeUrl = "x" } } }, "Generic runtime has an empty payload"),
        ["process without command"] = (s => s.Task = Process(new() { Dir = "/" }), "ProcessSpec: a command must be provided"),
        ["process in a relative folder"] = (s => s.Task = Process(new() { Command = { "x" }, Dir = "a" }), "ProcessSpec: dir \"a\" is not an absolute path"),
        ["negative replicas"] = (s => s.Replicated.Replicas = ulong.MaxValue, "Number of replicas must be non-negative"),
        ["too many replicas"] = (s => s.Replicated.Replicas = 1_000_001, "Number of replicas must be at most 1000000, not 1000001"),
        ["no mode"] = (s => s.ClearMode(), "Unrecognized service mode"),
        ["negative concurrency"] = (s => s.ReplicatedJob = new() { MaxConcurrent = ulong.MaxValue }, "Maximum concurrent jobs must not be negative"),
        ["negative completions"] = (s => s.ReplicatedJob = new() { TotalCompletions = ulong.MaxValue }, "Total completed jobs must not be negative"),
        ["job with update"] = (
            s =>
            {
                s.GlobalJob = new();
                s.Update = new();
            },
            "Jobs may not have an update config"),
        ["negative update delay"] = (s => s.Update = new() { Delay = GoMs(-1) }, "TaskSpec: update-delay cannot be negative"),
        ["negative update monitor"] = (s => s.Update = new() { Monitor = GoMs(-1) }, "TaskSpec: update-monitor cannot be negative"),
        ["failure ratio"] = (s => s.Update = new() { MaxFailureRatio = 1.1f }, "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"),
        ["failure ratio that is no number"] = (s => s.Update = new() { MaxFailureRatio = float.NaN }, "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"),
        ["negative rollback delay"] = (s => s.Rollback = new() { Delay = GoMs(-1) }, "TaskSpec: rollback-delay cannot be negative"),
        ["one port twice"] = (s => s.Endpoint = new() { Ports = { Port(80), Port(80) } }, "EndpointSpec: duplicate published ports provided"),
        ["mesh without address"] = (
            s => s.Endpoint = new() { Mode = EndpointSpec.Types.ResolutionMode.Dnsrr, Ports = { Port(80) } },
            "EndpointSpec: port published with ingress mode can't be used with dnsrr mode"),
        ["port out of range"] = (
            s => s.Endpoint = new() { Ports = { Port(65_536) } },
            "EndpointSpec: port 65536:80 is out of range: a target port is 1 to 65535, a published one 0 to 65535"),
        ["network that is not there"] = (s => s.Task.Networks.Add(new NetworkAttachmentConfig { Target = "net" }), "network net not found"),
    };

    private static PortConfig Port(uint published) => new() { PublishedPort = published, TargetPort = 80 };

    private static SecretReference SecretAt(string name) => new() { SecretId = name, SecretName = name, File = new() { Name = "f" } };

    private static ConfigReference ConfigAt(string name, string file = "f") => new() { ConfigId = name, ConfigName = name, File = new() { Name = file } };
}

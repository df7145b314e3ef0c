using System.Text.Json;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Agent.Executors;
using static Skep.Agent.Tests.Executors.Docker.DockerRun;

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>What a spec says is what the container has, or the task is refused with the field's name.</summary>
public sealed class DockerFieldTests(EngineFixture fixture)
{
    private async Task<JsonElement> InspectAsync(DockerRun run, SwarmTask task)
    {
        await run.Controller(task).PrepareAsync(Within());
        return await run.Engine.GetAsync($"/containers/web.1.{task.Id}/json");
    }

    private async Task<string> RefusalOfAsync(Action<SwarmTask> change)
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        return (await Assert.ThrowsAsync<TaskRejectedException>(() => run.Controller(NewTask(change)).PrepareAsync(Within()))).Message;
    }

    [Fact]
    public async Task Command_arguments_environment_and_identity_are_passed_on()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var output = await run.OutputOfAsync(NewTask(
            t =>
            {
                t.Spec.Container.Args.AddRange(["-c", "echo $A $DOCKER_RESOURCE_GPU; pwd; id -u; id -G; hostname; cat /etc/hosts; grep -i x.test /etc/resolv.conf"]);
                t.Spec.Container.Env.Add("A=b");
                t.Spec.Container.Dir = "/tmp";
                t.Spec.Container.User = "65534";
                t.Spec.Container.Groups.Add("5");
                t.Spec.Container.Hostname = "box";
                t.Spec.Container.Hosts.Add("10.9.8.7 db database");
                t.Spec.Container.DnsConfig = new() { Nameservers = { "10.9.9.9" }, Search = { "x.test" }, Options = { "ndots:3" } };
                t.AssignedGenericResources.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "g1" } });
                t.AssignedGenericResources.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "g2" } });
            },
            "sh"));
        Assert.Contains("b g1,g2\n/tmp\n65534\n", output, StringComparison.Ordinal);
        Assert.Contains(" 5", output, StringComparison.Ordinal);
        Assert.Contains("box\n", output, StringComparison.Ordinal);
        Assert.Contains("10.9.8.7\tdb", output, StringComparison.Ordinal);
        Assert.Contains("10.9.8.7\tdatabase", output, StringComparison.Ordinal);
        Assert.Contains("search x.test", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_rights_and_the_rest_reach_the_engine()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var container = await InspectAsync(run, NewTask(t =>
        {
            var c = t.Spec.Container;
            c.Tty = true;
            c.OpenStdin = true;
            c.ReadOnly = true;
            c.Init = false;
            c.StopSignal = "SIGUSR2";
            c.PidsLimit = 77;
            c.OomScoreAdj = 100;
            c.Sysctls["net.ipv4.ip_unprivileged_port_start"] = "80";
            c.CapabilityAdd.Add("CAP_NET_ADMIN");
            c.CapabilityDrop.Add("CAP_MKNOD");
            c.Ulimits.Add(new ContainerSpec.Types.Ulimit { Name = "nofile", Soft = 100, Hard = 200 });
            c.Privileges = new Privileges
            {
                NoNewPrivileges = true,
                Seccomp = new() { Mode = Privileges.Types.SeccompOpts.Types.SeccompMode.Unconfined },
                Apparmor = new() { Mode = Privileges.Types.AppArmorOpts.Types.AppArmorMode.Disabled },
            };
            c.Mounts.Add(new Mount { Type = Mount.Types.Type.Volume, Source = "vol-" + t.Id, Target = "/v", VolumeOptions = new() { Nocopy = true, Labels = { ["k"] = "v" } } });
            c.Mounts.Add(new Mount { Type = Mount.Types.Type.Tmpfs, Target = "/t", TmpfsOptions = new() { SizeBytes = 1 << 20, Mode = 448 } });
            c.Mounts.Add(new Mount { Type = Mount.Types.Type.Bind, Source = "/tmp", Target = "/b", Readonly = true, BindOptions = new() { Propagation = Mount.Types.BindOptions.Types.Propagation.Rslave } });
            c.Healthcheck = new HealthConfig { Test = { "CMD", "true" }, Interval = new() { Seconds = 7 }, Retries = 4 };
            t.Spec.Resources = new() { Limits = new() { MemoryBytes = 64 << 20, NanoCpus = 500_000_000 } };
            t.LogDriver = new Driver { Name = "json-file", Options = { ["max-size"] = "1m" } };
        }));
        var (config, host) = (container.GetProperty("Config"), container.GetProperty("HostConfig"));
        Assert.True(config.GetProperty("Tty").GetBoolean());
        Assert.True(config.GetProperty("OpenStdin").GetBoolean());
        Assert.Equal("SIGUSR2", config.GetProperty("StopSignal").GetString());
        Assert.Equal(7_000_000_000, config.GetProperty("Healthcheck").GetProperty("Interval").GetInt64());
        Assert.Equal(4, config.GetProperty("Healthcheck").GetProperty("Retries").GetInt32());
        Assert.True(host.GetProperty("ReadonlyRootfs").GetBoolean());
        Assert.False(host.GetProperty("Init").GetBoolean());
        Assert.Equal(77, host.GetProperty("PidsLimit").GetInt64());
        Assert.Equal(100, host.GetProperty("OomScoreAdj").GetInt64());
        Assert.Equal(64 << 20, host.GetProperty("Memory").GetInt64());
        Assert.Equal(500_000_000, host.GetProperty("NanoCpus").GetInt64());
        Assert.Equal("json-file", host.GetProperty("LogConfig").GetProperty("Type").GetString());
        Assert.Equal("1m", host.GetProperty("LogConfig").GetProperty("Config").GetProperty("max-size").GetString());
        Assert.Contains("NET_ADMIN", host.GetProperty("CapAdd").ToString(), StringComparison.Ordinal);
        Assert.Contains("MKNOD", host.GetProperty("CapDrop").ToString(), StringComparison.Ordinal);
        Assert.Contains("nofile", host.GetProperty("Ulimits").ToString(), StringComparison.Ordinal);
        var security = host.GetProperty("SecurityOpt").ToString();
        Assert.Contains("no-new-privileges", security, StringComparison.Ordinal);
        Assert.Contains("seccomp=unconfined", security, StringComparison.Ordinal);
        Assert.Contains("apparmor=unconfined", security, StringComparison.Ordinal);
        var mounts = host.GetProperty("Mounts").EnumerateArray().ToDictionary(m => m.GetProperty("Target").GetString()!);
        Assert.Equal("volume", mounts["/v"].GetProperty("Type").GetString());
        Assert.True(mounts["/v"].GetProperty("VolumeOptions").GetProperty("NoCopy").GetBoolean());
        Assert.Equal(1 << 20, mounts["/t"].GetProperty("TmpfsOptions").GetProperty("SizeBytes").GetInt64());
        Assert.True(mounts["/b"].GetProperty("ReadOnly").GetBoolean());
        Assert.Equal("rslave", mounts["/b"].GetProperty("BindOptions").GetProperty("Propagation").GetString());
    }

    [Fact]
    public async Task Ports_in_host_mode_are_published_by_the_engine_and_told_in_the_status()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var task = Shell("sleep 1000", t => t.Endpoint = new Endpoint
        {
            Ports = { new PortConfig { TargetPort = 80, PublishMode = PortConfig.Types.PublishMode.Host } },
        });
        var controller = run.Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        var port = Assert.Single((await controller.GetPortStatusAsync(Within()))!.Ports);
        Assert.Equal(80u, port.TargetPort);
        Assert.True(port.PublishedPort > 0);
        Assert.Equal(PortConfig.Types.PublishMode.Host, port.PublishMode);
    }

    [Fact]
    public async Task The_nodes_own_networks_are_joined_by_name()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var container = await InspectAsync(run, NewTask(t => t.Networks.Add(new NetworkAttachment
        {
            Network = new Network
            {
                Spec = new NetworkSpec { Annotations = new() { Name = "none", Labels = { ["com.docker.swarm.predefined"] = "true" } } },
                DriverState = new Driver { Name = "null" },
            },
        })));
        Assert.Equal("none", container.GetProperty("HostConfig").GetProperty("NetworkMode").GetString());
    }

    [Fact]
    public async Task A_network_across_nodes_is_refused_by_name()
    {
        var refusal = await RefusalOfAsync(t => t.Networks.Add(new NetworkAttachment
        {
            Network = new Network { Spec = new NetworkSpec { Annotations = new() { Name = "back" } }, DriverState = new Driver { Name = "overlay" } },
        }));
        Assert.StartsWith("network back:", refusal, StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<SwarmTask>> Refused => new()
    {
        { "isolation", t => t.Spec.Container.Isolation = ContainerSpec.Types.Isolation.Hyperv },
        { "credential spec", t => t.Spec.Container.Privileges = new() { CredentialSpec = new() { File = "x" } } },
        { "mount /p", t => t.Spec.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Npipe, Source = "x", Target = "/p" }) },
        { "mount /c", t => t.Spec.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Cluster, Source = "x", Target = "/c" }) },
        { "subpath", t => t.Spec.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Volume, Source = "x", Target = "/c", VolumeOptions = new() { Subpath = "s" } }) },
        { "healthcheck start interval", t => t.Spec.Container.Healthcheck = new() { Test = { "CMD", "true" }, StartInterval = new() { Seconds = 1 } } },
        { "swap", t => t.Spec.Resources = new() { SwapBytes = 1 } },
        { "host \"nonsense\"", t => t.Spec.Container.Hosts.Add("nonsense") },
        { "image", t => t.Spec.Container.Image = "" },
        { "sctp", t => t.Endpoint = new() { Ports = { new PortConfig { Protocol = PortConfig.Types.Protocol.Sctp, TargetPort = 1, PublishedPort = 2 } } } },
        { "uid", t => t.Spec.Container.Secrets.Add(new SecretReference { SecretName = "s", File = new() { Name = "s", Uid = "app" } }) },
        { "target /run/secrets/s", t => t.Spec.Container.Secrets.AddRange([new() { SecretName = "a", File = new() { Name = "s" } }, new() { SecretName = "b", File = new() { Name = "s" } }]) },
        { "only files", t => t.Spec.Container.Configs.Add(new ConfigReference { ConfigName = "c", Runtime = new() }) },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task What_the_engine_cannot_honour_is_refused_by_name(string field, Action<SwarmTask> change)
    {
        Assert.Contains(field, await RefusalOfAsync(change), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_and_configs_are_files_with_owner_and_mode_until_the_task_is_removed()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        run.Files.ById["s1"] = "top secret";
        run.Files.ById["c1"] = "setting";
        var task = Shell("cat /run/secrets/key /etc/app.conf; stat -c '%u:%g %a' /run/secrets/key; echo x > /etc/app.conf", t =>
        {
            t.Spec.Container.Secrets.Add(new SecretReference
            {
                SecretId = "s1",
                SecretName = "key",
                File = new FileTarget { Name = "key", Uid = "65534", Gid = "65533", Mode = 256 },
            });
            t.Spec.Container.Configs.Add(new ConfigReference
            {
                ConfigId = "c1",
                ConfigName = "conf",
                File = new FileTarget { Name = "/etc/app.conf", Mode = 292 },
            });
        });
        var output = await run.OutputOfAsync(task);
        Assert.Contains("top secretsetting65534:65533 400\n", output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);

        var folder = Path.Combine(run.StateDirectory, "worker", "files");
        Assert.Contains(File.ReadLines("/proc/self/mountinfo"), l => l.Contains($" {folder} ", StringComparison.Ordinal) && l.Contains(" - tmpfs ", StringComparison.Ordinal));
        Assert.True(Directory.Exists(Path.Combine(folder, task.Id)));
        await run.Controller(task).RemoveAsync(Within());
        Assert.False(Directory.Exists(Path.Combine(folder, task.Id)));
    }

    [Fact]
    public async Task A_secret_the_node_was_not_given_is_a_refusal()
    {
        Assert.Contains("was not given", await RefusalOfAsync(t =>
            t.Spec.Container.Secrets.Add(new SecretReference { SecretId = "gone", SecretName = "key", File = new FileTarget { Name = "key" } })), StringComparison.Ordinal);
    }
}

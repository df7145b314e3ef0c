using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Process;
using Skep.Supervisor.Protocol;
using Skep.V1;
using static Skep.Agent.Tests.Executors.Process.ProcessTasks;

namespace Skep.Agent.Tests.Executors.Process;

public sealed class ProcessRequestTests
{
    private static readonly HostUsers Users = new(
        "root:x:0:0:root:/root:/bin/sh\nbee:x:1000:1001::/home/bee:/bin/sh\nmin:x:1002:0::/:/bin/sh\nodd:x:4294967295:7::/:/bin/sh\n",
        "root:x:0:\nhive:x:50:bee,other\nwheel:x:0:\n");

    private static StartRequest Make(ProcessSpec spec, Action<SwarmTask>? change = null, bool allowRoot = false) =>
        ProcessRequest.Make(
            ProcessTasks.Task("t", spec, change), new Dependencies(),
            new ProcessExecutorOptions { StateDir = "/none", AllowRootTasks = allowRoot }, Users);

    private static ProcessSpec With(Action<ProcessSpec> change)
    {
        var spec = Shell("true");
        change(spec);
        return spec;
    }

    private static Mount MountOf(Mount.Types.Type type, string source = "", string target = "/mnt") =>
        new() { Type = type, Source = source, Target = target };

    public static TheoryData<string, ProcessSpec> Refused => new()
    {
        { "command: is empty", new ProcessSpec() },
        { "env: 'NOVALUE' is not NAME=VALUE", With(s => s.Env.Add("NOVALUE")) },
        { "dir: 'here' is not an absolute path", With(s => s.Dir = "here") },
        { "user: root, or a member of its group is not allowed", With(s => s.User = "root") },
        { "user: root, or a member of its group is not allowed", With(s => s.User = "0") },
        { "user: root, or a member of its group is not allowed", With(s => s.User = "00:5") },
        { "user: root, or a member of its group is not allowed", With(s => s.User = "min") },
        { "user: root, or a member of its group is not allowed", With(s => s.User = "1000:0") },
        { "user: root, or a member of its group is not allowed", With(s => s.Groups.Add("wheel")) },
        { "user: 'nobee' is not in this node's /etc/passwd", With(s => s.User = "nobee") },
        { "user: '4294967295' is not in", With(s => s.User = "4294967295") },
        { "user: 'odd' is not in", With(s => s.User = "odd") },
        { "user: group 'nohive' is not in this node's /etc/group", With(s => s.User = "bee:nohive") },
        { "groups: group '4294967295'", With(s => s.Groups.Add("4294967295")) },
        { "stop_signal: 'SIGBEE' is no signal", With(s => s.StopSignal = "SIGBEE") },
        { "stop_grace_period: expected", With(s => s.StopGracePeriod = new Duration { Seconds = -1 }) },
        { "ulimits: 'honey' is no limit", With(s => s.Ulimits.Add(new ContainerSpec.Types.Ulimit { Name = "honey" })) },
        { "ulimits: nofile: soft 5 is above hard 4", With(s => s.Ulimits.Add(new ContainerSpec.Types.Ulimit { Name = "nofile", Soft = 5, Hard = 4 })) },
        { "capability_add: NET_ADMIN is not allowed on this node", With(s => s.CapabilityAdd.Add("NET_ADMIN")) },
        { "capability_drop: 'BEE' is no capability", With(s => s.CapabilityDrop.Add("BEE")) },
        { "oom_score_adj: a score below 0 is not allowed", With(s => s.OomScoreAdj = -1) },
        { "oom_score_adj: 1001 is not within", With(s => s.OomScoreAdj = 1001) },
        { "mounts: a bind of /etc is not allowed on this node", With(s => s.Mounts.Add(MountOf(Mount.Types.Type.Bind, "/etc"))) },
        { "mounts: '/mnt' is a Volume mount", With(s => s.Mounts.Add(MountOf(Mount.Types.Type.Volume, "v"))) },
        { "mounts: target 'mnt' is not an absolute path", With(s => s.Mounts.Add(MountOf(Mount.Types.Type.Tmpfs, "", "mnt"))) },
        { "secrets: s has no file as its target", With(s => s.Secrets.Add(new SecretReference { SecretName = "s" })) },
        { "configs: c has no file as its target", With(s => s.Configs.Add(new ConfigReference { ConfigName = "c", Runtime = new RuntimeTarget() })) },
        { "configs: c: target '/etc/passwd' is not below /run/secrets/", With(s => s.Configs.Add(new ConfigReference { ConfigName = "c", ConfigId = "c", File = new FileTarget { Name = "/etc/passwd" } })) },
        { "hostname: longer than", With(s => s.Hostname = new string('b', 65)) },
        { "pids_limit: -1 is below 0", With(s => s.PidsLimit = -1) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_honoured_is_refused_by_name(string because, ProcessSpec spec)
    {
        var dependencies = new Dependencies { Contents = { ["c"] = "x" } };
        var refusal = Assert.Throws<TaskRejectedException>(() => ProcessRequest.Make(
            ProcessTasks.Task("t", spec), dependencies, new ProcessExecutorOptions { StateDir = "/none" }, Users));
        Assert.StartsWith(because, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_of_the_task_that_cannot_be_honoured_are_refused_by_name()
    {
        void Refuses(string because, Action<SwarmTask> change) => Assert.StartsWith(
            because, Assert.Throws<TaskRejectedException>(() => Make(Shell("true"), change)).Message, StringComparison.Ordinal);
        Refuses("networks: ", t => t.Spec.Networks.Add(new NetworkAttachmentConfig { Target = "n" }));
        Refuses("log_driver: 'syslog'", t => t.Spec.LogDriver = new Driver { Name = "syslog" });
        Refuses("resources.swap_bytes: ", t => t.Spec.Resources = new ResourceRequirements { SwapBytes = 1 });
        Refuses("resources.memory_swappiness: ", t => t.Spec.Resources = new ResourceRequirements { MemorySwappiness = 1 });
        Refuses("ports: 80 in host mode cannot lead to 8080", t => t.Endpoint = new Endpoint
        {
            Ports = { new PortConfig { PublishMode = PortConfig.Types.PublishMode.Host, PublishedPort = 80, TargetPort = 8080 } },
        });
        Refuses("generic.payload: is a 'type.example/X'", t => t.Spec.Generic.Payload.TypeUrl = "type.example/X");
        Refuses("generic.payload: missing", t => t.Spec.Generic.Payload = null);
        Refuses("generic.payload: cannot be read", t => t.Spec.Generic.Payload.Value = ByteString.CopyFrom(0x0A, 0xFF));
        Refuses("generic.payload: has fields this node's version does not know", t =>
            t.Spec.Generic.Payload.Value = ByteString.CopyFrom([.. t.Spec.Generic.Payload.Value, 0xF8, 0x3F, 0x01]));
    }

    [Fact]
    public void A_task_without_a_user_gets_one_of_its_own_and_a_bare_environment()
    {
        var request = Make(With(s => s.Args.Add("arg")));
        Assert.Equal((StartRequest.TaskOwnId, StartRequest.TaskOwnId, 0UL), (request.Uid, request.Gid, request.Capabilities));
        Assert.Equal(["/bin/sh", "-c", "true", "arg"], request.Argv);
        Assert.Equal(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"], request.Env);
        Assert.Equal((15, 10_000, "/"), (request.StopSignal, request.StopGraceMs, request.Directory));
    }

    [Fact]
    public void A_named_user_comes_with_home_and_groups()
    {
        var request = Make(With(s =>
        {
            s.User = "bee";
            s.Groups.Add("77");
            s.Env.Add("PATH=/bin");
        }));
        Assert.Equal((1000u, 1001u), (request.Uid, request.Gid));
        Assert.Equal([50u, 77u], request.Groups);
        Assert.Equal(["HOME=/home/bee", "PATH=/bin"], request.Env);
        Assert.Empty(Make(With(s => s.User = "bee:7")).Groups);
        Assert.Equal(7u, Make(With(s => s.User = "bee:7")).Gid);
        Assert.Equal((5000u, 5000u), (Make(With(s => s.User = "5000")).Uid, Make(With(s => s.User = "5000")).Gid));
    }

    [Fact]
    public void Root_is_root_as_in_a_container_where_the_node_opts_in()
    {
        Assert.Equal(Capabilities.OfRoot, Make(With(s => s.User = "root"), allowRoot: true).Capabilities);
        ulong Caps(string[] add, string[] drop, string user = "root") => Make(With(s =>
        {
            s.User = user;
            s.CapabilityAdd.Add(add);
            s.CapabilityDrop.Add(drop);
        }), allowRoot: true).Capabilities;
        Assert.Equal(1UL << 12, Caps(["CAP_NET_ADMIN"], ["ALL"]));
        Assert.Equal(Capabilities.All & ~(1UL << 12), Caps(["ALL"], ["net_admin"]));
        Assert.Equal(1UL << 10, Caps(["NET_BIND_SERVICE"], [], "bee"));
    }

    [Fact]
    public void Limits_signals_and_mounts_are_passed_on()
    {
        var request = Make(With(s =>
        {
            s.StopSignal = "quit";
            s.StopGracePeriod = new Duration { Seconds = 1, Nanos = 500_000_000 };
            s.Ulimits.Add(new ContainerSpec.Types.Ulimit { Name = "nofile", Soft = 5, Hard = -1 });
            s.PidsLimit = 9;
            s.Mounts.Add(new Mount
            {
                Type = Mount.Types.Type.Tmpfs,
                Target = "/tmp",
                TmpfsOptions = new Mount.Types.TmpfsOptions { SizeBytes = 7, Mode = 0x1C0 },
            });
        }), t => t.Spec.Resources = new ResourceRequirements { Limits = new Resources { MemoryBytes = 1 << 24, NanoCpus = 5 } });
        Assert.Equal((3, 1500, 9, 1 << 24, 5), (request.StopSignal, request.StopGraceMs, request.Pids, request.MemoryBytes, request.NanoCpus));
        Assert.Equal([new ResourceLimit(7, 5, ulong.MaxValue)], request.ResourceLimits);
        Assert.Equal([new TaskMount("", "/tmp", false, false, 7, 0x1C0)], request.Mounts);
    }

    [Fact]
    public void Host_ports_are_those_it_listens_on()
    {
        var task = ProcessTasks.Task("t", Shell("true"), t => t.Endpoint = new Endpoint
        {
            Ports =
            {
                new PortConfig { PublishMode = PortConfig.Types.PublishMode.Host, TargetPort = 80 },
                new PortConfig { PublishMode = PortConfig.Types.PublishMode.Ingress, TargetPort = 81, PublishedPort = 30000 },
            },
        });
        Assert.Equal([80u], ProcessRequest.HostPorts(task).Select(p => p.PublishedPort));
    }

    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("hup", 1)]
    [InlineData("9", 9)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("0", null)]
    [InlineData("65", null)]
    [InlineData("", null)]
    [InlineData("SIG", null)]
    public void Signals_go_by_name_and_number(string text, int? signal) => Assert.Equal(signal, Signals.Parse(text));
}

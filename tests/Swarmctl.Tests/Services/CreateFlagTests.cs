using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.V1;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Services;

/// <summary>What <c>service create</c> sends for its flags. Words of a command line are parted by | here.</summary>
public sealed class CreateFlagTests : IAsyncLifetime
{
    private readonly FakeManager _manager = new();

    public async ValueTask InitializeAsync()
    {
        await _manager.StartAsync();
        _manager.Control.Secrets.Add(new Secret { Id = "secret-id", Spec = new() { Annotations = new() { Name = "key" } } });
        _manager.Control.Configs.Add(new Config { Id = "config-id", Spec = new() { Annotations = new() { Name = "conf" } } });
        _manager.Control.Networks.Add(new Network { Id = "network-id", Spec = new() { Annotations = new() { Name = "back" } } });
    }

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Theory]
    [InlineData("", "{}")]
    [InlineData("--replicas|3", """{ "replicated": { "replicas": 3 } }""")]
    [InlineData("--replicas|3|--replicas=4", """{ "replicated": { "replicas": 4 } }""")]
    [InlineData("--mode|replicated", "{}")]
    [InlineData("--mode|global", """{ "global": {} }""")]
    [InlineData("--label|a=1,b = 2|--label|c=x=y", """{ "annotations": { "labels": { "a": "1", "b": "2", "c": "x=y" } } }""")]
    [InlineData("--ports|web:80", """{ "endpoint": { "ports": [ { "name": "web", "target_port": 80, "publish_mode": "HOST" } ] } }""")]
    [InlineData("--ports|web:80:8080", """{ "endpoint": { "ports": [ { "name": "web", "target_port": 80, "published_port": 8080, "publish_mode": "HOST" } ] } }""")]
    [InlineData("--ports|dns:53/udp:5353/udp,web:80/tcp", """{ "endpoint": { "ports": [ { "name": "dns", "protocol": "UDP", "target_port": 53, "published_port": 5353, "publish_mode": "HOST" }, { "name": "web", "target_port": 80, "publish_mode": "HOST" } ] } }""")]
    [InlineData("--ports|web:80:30080:ingress|--ports|s:9/sctp:host", """{ "endpoint": { "ports": [ { "name": "web", "target_port": 80, "published_port": 30080 }, { "name": "s", "protocol": "SCTP", "target_port": 9, "publish_mode": "HOST" } ] } }""")]
    [InlineData("--bind|/a:/b:ro,/c:/d", """{ "task": { "container": { "mounts": [ { "type": "BIND", "source": "/a", "target": "/b", "readonly": true }, { "type": "BIND", "source": "/c", "target": "/d" } ] } } }""")]
    [InlineData("--volume|data:/data:rw|--npipe|p:/q", """{ "task": { "container": { "mounts": [ { "type": "VOLUME", "source": "data", "target": "/data" }, { "type": "NPIPE", "source": "p", "target": "/q" } ] } } }""")]
    [InlineData("--tmpfs|/run", """{ "task": { "container": { "mounts": [ { "type": "TMPFS", "target": "/run" } ] } } }""")]
    [InlineData("--tmpfs|/run:size=64m,mode=1770,ro,noexec", """{ "task": { "container": { "mounts": [ { "type": "TMPFS", "target": "/run", "readonly": true, "tmpfs_options": { "size_bytes": 67108864, "mode": 1016, "options": "noexec" } } ] } } }""")]
    [InlineData("--ulimit|nofile=1024:2048|--ulimit|core=0,memlock=-1", """{ "task": { "container": { "ulimits": [ { "name": "nofile", "soft": 1024, "hard": 2048 }, { "name": "core" }, { "name": "memlock", "soft": -1, "hard": -1 } ] } } }""")]
    [InlineData("--memory-limit|512m|--memory-reservation|1g|--cpu-limit|0.5|--cpu-reservation|2", """{ "task": { "resources": { "limits": { "nano_cpus": 500000000, "memory_bytes": 536870912 }, "reservations": { "nano_cpus": 2000000000, "memory_bytes": 1073741824 } } } }""")]
    [InlineData("--generic-resources|gpu=3,fpga=1", """{ "task": { "resources": { "reservations": { "generic": [ { "discrete_resource_spec": { "kind": "gpu", "value": 3 } }, { "discrete_resource_spec": { "kind": "fpga", "value": 1 } } ] } } } }""")]
    [InlineData("--restart-condition|failure|--restart-delay|1m30s|--restart-max-attempts|3|--restart-window|2h", """{ "task": { "restart": { "condition": "ON_FAILURE", "delay": "90s", "max_attempts": 3, "window": "7200s" } } }""")]
    [InlineData("--update-parallelism|2|--update-delay|10s|--update-on-failure|rollback|--update-order|start-first", """{ "update": { "parallelism": 2, "delay": "10s", "failure_action": "ROLLBACK", "order": "START_FIRST" } }""")]
    [InlineData("--rollback-parallelism|1|--rollback-delay|500ms|--rollback-on-failure|continue|--rollback-order|stop-first", """{ "rollback": { "parallelism": 1, "delay": "0.5s", "failure_action": "CONTINUE" } }""")]
    [InlineData("--constraint|node.labels.zone==a,node.role!=manager|--replicas-max-per-node|2", """{ "task": { "placement": { "constraints": [ "node.labels.zone==a", "node.role!=manager" ], "max_replicas": 2 } } }""")]
    [InlineData("--command|sh|--args|-c|--args|\"echo a, b\"", """{ "task": { "container": { "command": [ "sh" ], "args": [ "-c", "echo a, b" ] } } }""")]
    [InlineData("--command|sh,-c|--args|\"say \"\"hi\"\"\",--loud", """{ "task": { "container": { "command": [ "sh", "-c" ], "args": [ "say \"hi\"", "--loud" ] } } }""")]
    [InlineData("--args|--replicas|--args|-q", """{ "task": { "container": { "args": [ "--replicas", "-q" ] } } }""")]
    [InlineData("--env|A=1,B=|--env|URL=http://h:1/?a=b", """{ "task": { "container": { "env": [ "A=1", "B=", "URL=http://h:1/?a=b" ] } } }""")]
    [InlineData("--tty|--open-stdin=true|--init|--hostname|h|--user|u:g|--workdir|/w|--oom-score-adj|-100|--stop-grace-period|3s", """{ "task": { "container": { "tty": true, "open_stdin": true, "init": true, "hostname": "h", "user": "u:g", "dir": "/w", "oom_score_adj": -100, "stop_grace_period": "3s" } } }""")]
    [InlineData("--init=false|--tty=0", """{ "task": { "container": { "init": false } } }""")]
    [InlineData("--secret|key:token|--config|conf", """{ "task": { "container": { "secrets": [ { "secret_id": "secret-id", "secret_name": "key", "file": { "name": "token", "uid": "0", "gid": "0", "mode": 292 } } ], "configs": [ { "config_id": "config-id", "config_name": "conf", "file": { "name": "conf", "uid": "0", "gid": "0", "mode": 292 } } ] } } }""")]
    [InlineData("--network|back", """{ "task": { "networks": [ { "target": "network-id" } ] } }""")]
    [InlineData("--log-driver|json-file|--log-opt|max-size=1m,flag", """{ "task": { "log_driver": { "name": "json-file", "options": { "max-size": "1m", "flag": "" } } } }""")]
    public async Task Good_flags_become_the_spec(string flags, string spec)
    {
        (await RunAsync("service|create|--name|redis|--image|redis:3.0.5|" + flags)).Succeeds();
        var expected = new ServiceSpec
        {
            Annotations = new() { Name = "redis" },
            Task = new() { Container = new() { Image = "redis:3.0.5" }, Restart = new() { Condition = RestartPolicy.Types.RestartCondition.Any } },
            Replicated = new() { Replicas = 1 },
        };
        expected.MergeFrom(JsonParser.Default.Parse<ServiceSpec>(spec));
        Assert.Equal(expected, Assert.IsType<CreateServiceRequest>(Assert.Single(_manager.Control.Changes)).Spec);
    }

    [Fact]
    public async Task A_task_that_is_never_restarted_says_so()
    {
        (await RunAsync("svc|create|--name|a|--image|b|--restart-condition|none")).Succeeds();
        Assert.Equal(RestartPolicy.Types.RestartCondition.None, Assert.IsType<CreateServiceRequest>(Assert.Single(_manager.Control.Changes)).Spec.Task.Restart.Condition);
    }

    [Fact]
    public async Task A_process_is_packed_with_what_it_refers_to()
    {
        (await RunAsync("service|create|--name|web|--runtime|process|--command|/usr/bin/python3|--args|-m,http.server|--env|A=1|--user|nobody|--secret|key|--memory-limit|64m")).Succeeds();

        TaskSpec task = Assert.IsType<CreateServiceRequest>(Assert.Single(_manager.Control.Changes)).Spec.Task;
        Assert.Equal(("process", "type.skep.io/skep.v1.ProcessSpec"), (task.Generic.Kind, task.Generic.Payload.TypeUrl));
        ProcessSpec process = task.Generic.Payload.Unpack<ProcessSpec>();
        Assert.Equal(["/usr/bin/python3"], process.Command);
        Assert.Equal(["-m", "http.server"], process.Args);
        Assert.Equal(("nobody", "secret-id"), (process.User, Assert.Single(process.Secrets).SecretId));
        Assert.Equal("secret-id", Assert.Single(task.ResourceReferences).ResourceId);
        Assert.Equal(64 << 20, task.Resources.Limits.MemoryBytes);
    }

    [Theory]
    [InlineData("--replicas|-1", "invalid argument \"-1\" for --replicas: expected a whole number that is not negative")]
    [InlineData("--replicas|many", "invalid argument \"many\" for --replicas: expected a whole number that is not negative")]
    [InlineData("--oom-score-adj|high", "invalid argument \"high\" for --oom-score-adj: expected a whole number")]
    [InlineData("--mode|everywhere", "invalid argument \"everywhere\" for --mode: expected replicated or global")]
    [InlineData("--tty=maybe", "invalid argument \"maybe\" for --tty: expected true or false")]
    [InlineData("--format|xml", "invalid argument \"xml\" for --format: expected table or json")]
    [InlineData("--ports|80", "invalid argument \"80\" for --ports: expected name:target[/protocol][:published[/protocol]][:host|ingress]")]
    [InlineData("--ports|web:http", "invalid argument \"web:http\" for --ports: \"http\" is no port from 0 to 65535")]
    [InlineData("--ports|web:80:70000", "invalid argument \"web:80:70000\" for --ports: \"70000\" is no port from 0 to 65535")]
    [InlineData("--ports|web:80/icmp", "invalid argument \"web:80/icmp\" for --ports: invalid protocol string: icmp (expected tcp, udp or sctp)")]
    [InlineData("--ports|web:80/tcp:80/udp", "invalid argument \"web:80/tcp:80/udp\" for --ports: protocol mismatch: both sides of a port have one protocol")]
    [InlineData("--ports|web:80:81:mesh", "invalid argument \"web:80:81:mesh\" for --ports: the publish mode must be host or ingress")]
    [InlineData("--bind|/a", "invalid argument \"/a\" for --bind: expected source:target[:ro|rw]")]
    [InlineData("--volume|v:/a:rx", "invalid argument \"v:/a:rx\" for --volume: expected source:target[:ro|rw]")]
    [InlineData("--tmpfs|run", "invalid argument \"run\" for --tmpfs: expected /target[:options]")]
    [InlineData("--tmpfs|/run:size=big", "invalid argument \"/run:size=big\" for --tmpfs: \"size=big\" is none of size=…, mode=…, ro, rw, exec, noexec")]
    [InlineData("--memory-limit|lots", "invalid argument \"lots\" for --memory-limit: expected a size such as 512m or 2g")]
    [InlineData("--memory-reservation|-5", "invalid argument \"-5\" for --memory-reservation: expected a size such as 512m or 2g")]
    [InlineData("--cpu-limit|half", "invalid argument \"half\" for --cpu-limit: expected a number of cores such as 0.5 or 2")]
    [InlineData("--cpu-limit|-1", "invalid argument \"-1\" for --cpu-limit: expected a number of cores such as 0.5 or 2")]
    [InlineData("--cpu-reservation|0.0000000001", "invalid argument \"0.0000000001\" for --cpu-reservation: a CPU value cannot have more than 9 decimal places")]
    [InlineData("--generic-resources|gpu", "invalid argument \"gpu\" for --generic-resources: expected kind=count, such as gpu=3")]
    [InlineData("--restart-delay|5", "invalid argument \"5\" for --restart-delay: expected a duration such as 10s, 1m30s or 2h")]
    [InlineData("--restart-condition|always", "invalid argument \"always\" for --restart-condition: expected any or failure or none")]
    [InlineData("--update-delay|soon", "invalid argument \"soon\" for --update-delay: expected a duration such as 10s, 1m30s or 2h")]
    [InlineData("--update-on-failure|stop", "invalid argument \"stop\" for --update-on-failure: expected pause or continue or rollback")]
    [InlineData("--rollback-on-failure|rollback", "invalid argument \"rollback\" for --rollback-on-failure: expected pause or continue")]
    [InlineData("--update-order|any", "invalid argument \"any\" for --update-order: expected stop-first or start-first")]
    [InlineData("--label|nameless", "invalid argument \"nameless\" for --label: expected key=value")]
    [InlineData("--env|\"A=1", "invalid argument \"\"A=1\" for --env: a quote is not closed")]
    [InlineData("--secret|:x", "invalid argument \":x\" for --secret: expected name[:target]")]
    [InlineData("--secret|nosuch", "secret not found: nosuch")]
    [InlineData("--config|nosuch", "config not found: nosuch")]
    [InlineData("--network|nosuch", "network nosuch not found")]
    [InlineData("--log-opt|a=b", "--log-opt needs --log-driver: name the log driver that the options are for")]
    [InlineData("--mode|global|--replicas|2", "--replicas can only be specified in --mode replicated")]
    [InlineData("--runtime|process", "--command is mandatory with --runtime process")]
    [InlineData("--runtime|process|--command|x", "--image is for containers; a task with --runtime process has none")]
    [InlineData("--runtime|vm", "invalid argument \"vm\" for --runtime: expected container or process")]
    [InlineData("--nosuch", "unknown flag: --nosuch")]
    [InlineData("-x", "unknown shorthand flag: -x")]
    [InlineData("--name", "flag needs an argument: --name")]
    public async Task Bad_flags_are_refused_and_nothing_is_sent(string flags, string error)
    {
        CommandResult result = await RunAsync("service|create|--name|redis|--image|redis:3.0.5|" + flags);
        Assert.Equal((255, "Error: " + error), (result.ExitCode, result.Errors.Split('\n')[0]));
        Assert.Empty(result.Output);
        Assert.Empty(_manager.Control.Changes);
    }

    [Theory]
    [InlineData("soft above hard", "nofile=2:1")]
    [InlineData("no number", "nofile=x")]
    [InlineData("no name that a kernel has", "files=1")]
    public async Task A_bad_ulimit_is_refused(string why, string value)
    {
        CommandResult result = await RunAsync("service|create|--name|redis|--image|b|--ulimit|" + value);
        Assert.True(result.ExitCode == 255, why);
        Assert.StartsWith($"Error: invalid argument \"{value}\" for --ulimit: expected name=soft[:hard]", result.Errors, StringComparison.Ordinal);
        Assert.Empty(_manager.Control.Changes);
    }

    [Theory]
    [InlineData("service|create|--image|b", "--name and --image are mandatory (or --name and --command with --runtime process)")]
    [InlineData("service|create|--name|b", "--name and --image are mandatory (or --name and --command with --runtime process)")]
    [InlineData("service|inspect", "service ID missing")]
    [InlineData("service|inspect|a|b", "inspect command takes exactly 1 argument")]
    [InlineData("service|inspect|nosuch", "service nosuch not found")]
    [InlineData("node|inspect|nosuch", "node nosuch not found")]
    [InlineData("service|nosuch", "unknown command \"nosuch\" for \"swarmctl service\"")]
    [InlineData("nosuch", "unknown command \"nosuch\" for \"swarmctl\"")]
    public async Task A_bad_command_is_refused(string words, string error) => (await RunAsync(words)).Fails(error);

    private Task<CommandResult> RunAsync(string words) => _manager.RunAsync(words.Split('|', StringSplitOptions.RemoveEmptyEntries));
}

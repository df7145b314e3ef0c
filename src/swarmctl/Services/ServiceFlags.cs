using System.CommandLine;
using Swarmctl.Flags;

namespace Swarmctl.Services;

/// <summary>The flags of <c>service create</c> and <c>service update</c>, as SwarmKit has them, and ours behind them.</summary>
internal static class ServiceFlags
{
    public static readonly Option<string[]> Args = CommonFlags.List("--args", "container args");
    public static readonly Option<string[]> Bind = CommonFlags.List("--bind", "define a bind mount");
    public static readonly Option<string[]> Command = CommonFlags.List("--command", "override entrypoint");
    public static readonly Option<string[]> Constraint = CommonFlags.List("--constraint", "Placement constraint (e.g. node.labels.key==value)");
    public static readonly Option<string> CpuLimit = CommonFlags.Text("--cpu-limit", "CPU cores limit (e.g. 0.5)");
    public static readonly Option<string> CpuReservation = CommonFlags.Text("--cpu-reservation", "number of CPU cores reserved (e.g. 0.5)");
    public static readonly Option<string[]> Env = CommonFlags.List("--env", "container env");
    public static readonly Option<string> GenericResources = CommonFlags.Text("--generic-resources", "user defined resources request (e.g. gpu=3,fpga=1)");
    public static readonly Option<string> Hostname = CommonFlags.Text("--hostname", "container hostname");
    public static readonly Option<string> Image = CommonFlags.Text("--image", "container image");
    public static readonly Option<bool> Init = new("--init") { Description = "Run an init inside the container that forwards signals and reaps processes" };
    public static readonly Option<string[]> Label = CommonFlags.List("--label", "service label (key=value)");
    public static readonly Option<string> LogDriver = CommonFlags.Text("--log-driver", "specify a log driver");
    public static readonly Option<string[]> LogOpt = CommonFlags.List("--log-opt", "log driver options, as key value pairs");
    public static readonly Option<string> MemoryLimit = CommonFlags.Text("--memory-limit", "memory limit (e.g. 512m)");
    public static readonly Option<string> MemoryReservation = CommonFlags.Text("--memory-reservation", "amount of reserved memory (e.g. 512m)");
    public static readonly Option<string> Mode = CommonFlags.Text("--mode", "one of replicated, global (default \"replicated\")");
    public static readonly Option<string> Name = CommonFlags.Text("--name", "service name");
    public static readonly Option<string> Network = CommonFlags.Text("--network", "network name");
    public static readonly Option<string[]> Npipe = CommonFlags.List("--npipe", "define a npipe mount");
    public static readonly Option<long> OomScoreAdj = CommonFlags.Integer("--oom-score-adj", "oom score adjustment (-1000 to 1000)");
    public static readonly Option<bool> OpenStdin = new("--open-stdin") { Description = "open standard input" };
    public static readonly Option<string[]> Ports = CommonFlags.List("--ports", "ports: name:target[/protocol][:published[/protocol]][:host|ingress] (host unless it says ingress)");
    public static readonly Option<ulong> Replicas = CommonFlags.Count("--replicas", "number of replicas for the service (only works in replicated service mode) (default 1)");
    public static readonly Option<ulong> ReplicasMaxPerNode = CommonFlags.Count("--replicas-max-per-node", "maximum number of replicas for per node (only works in replicated service mode) (default 0 = unlimited)");
    public static readonly Option<string> RestartCondition = CommonFlags.Text("--restart-condition", "condition to restart the task (any, failure, none) (default \"any\")");
    public static readonly Option<string> RestartDelay = CommonFlags.Text("--restart-delay", "delay between task restarts (default \"5s\")");
    public static readonly Option<ulong> RestartMaxAttempts = CommonFlags.Count("--restart-max-attempts", "maximum number of restart attempts (0 = unlimited)");
    public static readonly Option<string> RestartWindow = CommonFlags.Text("--restart-window", "time window to evaluate restart attempts (0 = unbound) (default \"0s\")");
    public static readonly UpdateFlags Update = new("update", "update", "updated");
    public static readonly UpdateFlags Rollback = new("rollback", "rollback", "rolled-back");
    public static readonly Option<string[]> Secret = CommonFlags.List("--secret", "add a secret from swarm");
    public static readonly Option<string[]> Tmpfs = CommonFlags.List("--tmpfs", "define a tmpfs mount");
    public static readonly Option<bool> Tty = new("--tty") { Description = "open a tty on standard streams" };
    public static readonly Option<string[]> Ulimit = CommonFlags.List("--ulimit", "ulimit options");
    public static readonly Option<string[]> Volume = CommonFlags.List("--volume", "define a volume mount");

    public static readonly Option<string[]> AddCapability = CommonFlags.List("--add-capability", "add a new capability to the service");
    public static readonly Option<string[]> AddConfig = CommonFlags.List("--add-config", "add a new config to the service");
    public static readonly Option<string[]> AddSecret = CommonFlags.List("--add-secret", "add a new secret to the service");
    public static readonly Option<string[]> RmCapability = CommonFlags.List("--rm-capability", "remove a capability from the service");
    public static readonly Option<string[]> RmConfig = CommonFlags.List("--rm-config", "remove a config from the service");
    public static readonly Option<string[]> RmSecret = CommonFlags.List("--rm-secret", "remove a secret from the service");
    public static readonly Option<bool> Force = new("--force") { Description = "force tasks to restart even if nothing has changed" };

    // Ours.
    public static readonly Option<string> Runtime = CommonFlags.Text("--runtime", "what runs a task: container, or process (a program of the host) (default \"container\")");
    public static readonly Option<string> User = CommonFlags.Text("--user", "user that a task runs as (name or uid, with :group)");
    public static readonly Option<string> Dir = CommonFlags.Text("--workdir", "working directory of a task");
    public static readonly Option<string> StopGracePeriod = CommonFlags.Text("--stop-grace-period", "time a task has to end before it is killed (default \"10s\")", "duration");
    public static readonly Option<string[]> Config = CommonFlags.List("--config", "add a config from swarm");
    public static readonly Option<bool> RollbackNow = new("--rollback") { Description = "go back to the spec before the last update" };

    public static readonly Option<bool> Detach = new("--detach")
    {
        Description = "return at once; --detach=false shows the progress until the service has settled (default true)",
        DefaultValueFactory = _ => true,
    };

    private static readonly Symbol[] Shared =
    [
        Args, Bind, Command, Constraint, CpuLimit, CpuReservation, Env, GenericResources, Hostname, Image, Init, Label, LogDriver, LogOpt,
        MemoryLimit, MemoryReservation, Name, Network, Npipe, OomScoreAdj, OpenStdin, Ports, Replicas, ReplicasMaxPerNode,
        RestartCondition, RestartDelay, RestartMaxAttempts, RestartWindow, .. Update.All, .. Rollback.All, Tmpfs, Tty, Ulimit, Volume,
        User, Dir, StopGracePeriod, Detach,
    ];

    public static Symbol[] ForCreate => [.. Shared, Mode, Secret, Config, Runtime];

    public static Symbol[] ForUpdate => [.. Shared, AddCapability, AddConfig, AddSecret, Force, RmCapability, RmConfig, RmSecret, RollbackNow];
}

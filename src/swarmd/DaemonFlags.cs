using System.CommandLine;
using System.Globalization;

namespace Swarmd;

/// <summary>swarmd's flags: SwarmKit's, and ours behind them.</summary>
internal static class DaemonFlags
{
    public static readonly Option<string> AdvertiseRemoteApi = Text("--advertise-remote-api", "Advertise address for remote API");
    public static readonly Option<bool> Autolock = new("--autolock") { Description = "Require an unlock key in order to start a manager once it's been stopped" };
    public static readonly Option<uint> ElectionTick = Ticks("--election-tick", "Defines the amount of ticks (in seconds) needed without a Leader to trigger a new election; taken for SwarmKit's sake: Skep's managers elect after half a second to a second", 10);
    public static readonly Option<string> EngineAddr = Text("--engine-addr", "Address of engine instance of agent.", "unix:///var/run/docker.sock");
    public static readonly Option<string> ExternalCa = Text("--external-ca", "Specifications of one or more certificate signing endpoints");
    public static readonly Option<bool> ForceNewCluster = new("--force-new-cluster") { Description = "Force the creation of a new cluster from data directory: this manager goes on alone, and all others are given up" };
    public static readonly Option<string> GenericNodeResources = Text("--generic-node-resources", "user defined resources (e.g. fpga=2,gpu=UUID1,gpu=UUID2,gpu=UUID3)");
    public static readonly Option<uint> HeartbeatTick = Ticks("--heartbeat-tick", "Defines the heartbeat interval (in seconds) for raft member health-check; taken for SwarmKit's sake: Skep's leader tells 20 times a second that it lives", 1);
    public static readonly Option<string> Hostname = Text("--hostname", "Override reported agent hostname");
    public static readonly Option<string> JoinAddr = Text("--join-addr", "Join cluster with a node at this address");
    public static readonly Option<string> JoinToken = Text("--join-token", "Specifies the secret token required to join the cluster");
    public static readonly Option<string> ListenControlApi = Text("--listen-control-api", "Listen socket for control API", "/var/run/swarmd.sock");
    public static readonly Option<string> ListenDebug = Text("--listen-debug", "Bind the Go debug server on the provided address");
    public static readonly Option<string> ListenMetrics = Text("--listen-metrics", "Listen address for metrics");
    public static readonly Option<string> ListenRemoteApi = Text("--listen-remote-api", "Listen address for remote API", "0.0.0.0:4242");
    public static readonly Option<string> LogLevelName = new("--log-level", "-l") { Description = "Log level (options \"debug\", \"info\", \"warn\", \"error\", \"fatal\", \"panic\")", HelpName = "string", DefaultValueFactory = _ => "info" };
    public static readonly Option<string> StateDir = new("--state-dir", "-d") { Description = "State directory", HelpName = "string", DefaultValueFactory = _ => "/var/lib/swarmd" };
    public static readonly Option<string> UnlockKey = Text("--unlock-key", "Unlock this manager using this key");
    public static readonly Option<bool> ShowVersion = new("--version", "-v") { Description = "Display the version and exit" };
    public static readonly Option<string> Restore = Text("--restore", "Found a cluster of this manager alone from a backup that swarmctl cluster backup wrote; the state directory must be empty");
    public static readonly Option<string> RestorePassphraseFile = Text("--restore-passphrase-file", "File that holds the passphrase the backup was encrypted to; for one encrypted to the unlock key, give --unlock-key");
    public static readonly Option<bool> RestoreAsNew = new("--restore-as-new") { Description = "Restore as another cluster: a new id, root CA and join tokens, and no nodes" };
    public static readonly Option<bool> AllowRootTasks = new("--allow-root-tasks") { Description = "Let process tasks run as root on this node" };
    public static readonly Option<string> Coordination = Text("--coordination", "Serve ZooKeeper's clients while this node manages: a port of 127.0.0.1, or host:port");
    public static readonly Option<string> CoordinationReads = Text("--coordination-reads", "What such clients read: sequential (what the manager they ask has) or linearizable (all that was committed before)", "sequential");
    public static readonly Option<bool> CoordinationTls = new("--coordination-tls") { Description = "Serve them by TLS with the cluster's certificates; a client's own is welcome, and must lead to the cluster's root" };
    public static readonly Option<string> CoordinationTlsCert = Text("--coordination-tls-cert", "Serve them by TLS with the certificate of this PEM file");
    public static readonly Option<string> CoordinationTlsKey = Text("--coordination-tls-key", "PEM file that holds the certificate's private key");
    public static readonly Option<string> CoordinationTlsCa = Text("--coordination-tls-ca", "PEM file that holds the roots that clients' certificates must lead to");
    public static readonly Option<bool> CoordinationInsecure = new("--coordination-insecure") { Description = "Serve them without TLS beyond the loopback too: passwords and data can be read on the way" };
    public static readonly Option<string> CoordinationWords = Text("--coordination-words", "The four-letter words that are answered, parted by commas");
    public static readonly Option<int?> CoordinationMaxConnectionsPerAddress = Count("--coordination-max-connections-per-address", "Connections from one address; 0 for no bound");
    public static readonly Option<bool> CoordinationEnforceQuotas = new("--coordination-enforce-quotas") { Description = "Refuse such clients' writes beyond a hard quota while this manager leads (ZooKeeper's enforceQuota); give it to all managers" };
    public static readonly Option<int?> CoordinationMaxBufferBytes = Count("--coordination-max-buffer-bytes", "The longest request taken from such a client (ZooKeeper's jute.maxbuffer): 1024 to 4193280, 1048575 if not given; give all managers the same");

    public static readonly Option<string> CoordinationAudit = Text("--coordination-audit", "File to which what such clients write, and try to, is added, a line each as ZooKeeper has them");
    public static readonly Option<string> CoordinationSaslUsers = Text("--coordination-sasl-users", "File of users, name:password a line, who may prove by SASL (DIGEST-MD5) who they are; give all managers the same");

    public static IEnumerable<Option> All =>
    [
        AdvertiseRemoteApi, Autolock, ElectionTick, EngineAddr, ExternalCa, ForceNewCluster, GenericNodeResources, HeartbeatTick, Hostname,
        JoinAddr, JoinToken, ListenControlApi, ListenDebug, ListenMetrics, ListenRemoteApi, LogLevelName, StateDir, UnlockKey, ShowVersion,
        AllowRootTasks, Restore, RestorePassphraseFile, RestoreAsNew,
        Coordination, CoordinationReads, CoordinationTls, CoordinationTlsCert, CoordinationTlsKey, CoordinationTlsCa, CoordinationInsecure,
        CoordinationWords, CoordinationMaxConnectionsPerAddress, CoordinationMaxBufferBytes, CoordinationEnforceQuotas,
        CoordinationSaslUsers, CoordinationAudit,
    ];

    private static Option<uint> Ticks(string name, string description, uint value) => new(name)
    {
        Description = description,
        HelpName = "uint",
        DefaultValueFactory = _ => value,
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint ticks))
            {
                result.AddError($"invalid argument \"{text}\" for {name}: expected a whole number of seconds");
            }
            return ticks;
        },
    };

    internal static Option<int?> Count(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "uint",
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            {
                result.AddError($"invalid argument \"{text}\" for {name}: expected a whole number");
            }
            return count;
        },
    };

    internal static Option<string> Text(string name, string description, string? value = null)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "string" };
        if (value is not null)
        {
            option.DefaultValueFactory = _ => value;
        }
        return option;
    }
}

using Microsoft.Extensions.Logging.Abstractions;

namespace Skep.Node.Tests.Starting;

/// <summary>A start with a wrong flag says which and leaves no cluster behind that the next start would go on with.</summary>
public sealed class Wrong_options_change_nothing
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "skep-wrong-options-" + Path.GetRandomFileName());

    public static readonly TheoryData<string, NodeOptions> Wrong = new()
    {
        { "--listen-remote-api nowhere: expected host:port", new() { StateDirectory = Folder, RemoteApi = "nowhere" } },
        { "--engine-addr engine: expected the engine's unix socket", new() { StateDirectory = Folder, EngineAddress = "engine" } },
        { "--generic-node-resources gpu: \"gpu\" is not kind=count or kind=name", new() { StateDirectory = Folder, GenericResources = "gpu" } },
        { "--join-token needs --join-addr", new() { StateDirectory = Folder, JoinToken = "SWMTKN-1-x" } },
        { "--coordination 0.0.0.0:2181: without TLS it is served on the loopback only", new() { StateDirectory = Folder, Coordination = "0.0.0.0:2181" } },
        { "--coordination zoo: expected a port or host:port", new() { StateDirectory = Folder, Coordination = "zoo" } },
        { "--coordination-reads strong: expected sequential", new() { StateDirectory = Folder, Coordination = "2181", CoordinationReads = "strong" } },
        { "--coordination-tls needs --coordination:", new() { StateDirectory = Folder, CoordinationTls = true } },
        { "--coordination-tls-cert and --coordination-tls-key go together", new() { StateDirectory = Folder, Coordination = "2181", CoordinationTlsCertificate = "/none" } },
        { "--coordination-tls-cert /none: ", new() { StateDirectory = Folder, Coordination = "2181", CoordinationTlsCertificate = "/none", CoordinationTlsKey = "/none" } },
        { "--coordination-tls-ca needs --coordination-tls-cert", new() { StateDirectory = Folder, Coordination = "2181", CoordinationTls = true, CoordinationTlsAuthority = "/none" } },
        { "--coordination-words srvr,status: \"status\" is none of conf, cons", new() { StateDirectory = Folder, Coordination = "2181", CoordinationWords = "srvr,status" } },
        { "--coordination-max-connections-per-address -1: expected a whole number", new() { StateDirectory = Folder, Coordination = "2181", CoordinationMaxConnectionsPerAddress = -1 } },
        { "--coordination-max-buffer-bytes 1023: expected 1024 to 4193280", new() { StateDirectory = Folder, Coordination = "2181", CoordinationMaxBufferBytes = 1_023 } },
        { "--coordination-max-buffer-bytes 4194304: expected 1024 to 4193280", new() { StateDirectory = Folder, Coordination = "2181", CoordinationMaxBufferBytes = 4_194_304 } },
        { "--coordination-sasl-users /none/users: Could not find", new() { StateDirectory = Folder, Coordination = "2181", CoordinationSaslUsers = "/none/users" } },
        { "--coordination-audit /none/audit: expected a file in a folder that is there", new() { StateDirectory = Folder, Coordination = "2181", CoordinationAudit = "/none/audit" } },
        { "--coordination-audit /tmp: expected a file", new() { StateDirectory = Folder, Coordination = "2181", CoordinationAudit = "/tmp" } },
        { "--coordination-audit needs --coordination:", new() { StateDirectory = Folder, CoordinationAudit = "/tmp/audit" } },
        { "invalid join token; --join-token", new() { StateDirectory = Folder, JoinToken = "x", JoinAddress = "127.0.0.1:4242" } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task The_flag_is_named_and_no_state_is_made(string message, NodeOptions options)
    {
        var host = new NodeHost(options, NullLoggerFactory.Instance, TimeProvider.System);

        NodeStartException refused = await Assert.ThrowsAsync<NodeStartException>(() => host.RunAsync(TestContext.Current.CancellationToken));

        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
    }
}

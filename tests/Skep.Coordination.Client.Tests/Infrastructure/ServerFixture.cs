using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Coordination.Tests.Differential;

[assembly: AssemblyFixture(typeof(ServerFixture))]

namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>
/// The one server of a run, started by the first test that needs it. With <c>SKEP_COORDINATION_SERVER=host:port</c> set, it is the one
/// named there, or the several of one service named there by commas.
/// </summary>
public sealed class ServerFixture : IDisposable
{
    private readonly Lazy<ICoordinationServer> _server = new(() =>
        Environment.GetEnvironmentVariable("SKEP_COORDINATION_SERVER") is { Length: > 0 } named ? new NamedServer(named) : new ZooKeeperServer());

    /// <summary>The server; skips the test where there is none.</summary>
    public ICoordinationServer Server => _server.Value;

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }

    private sealed class NamedServer(string address) : ICoordinationServer
    {
        public string ConnectString => address;

        public void Dispose() { }
    }

    // A short tick lets sessions be short, and so expire within a test.
    private sealed class ZooKeeperServer : ICoordinationServer
    {
        private readonly RealZooKeeper _zooKeeper = RealZooKeeper.StartOrSkip("tickTime=200\nmaxSessionTimeout=60000\nmaxClientCnxns=0\n");

        public string ConnectString => $"127.0.0.1:{_zooKeeper.Port}";

        public void Dispose() => _zooKeeper.Dispose();
    }
}

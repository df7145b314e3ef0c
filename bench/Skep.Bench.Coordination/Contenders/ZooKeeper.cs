using Skep.Bench.Raft;

namespace Skep.Bench.Coordination;

/// <summary>Debian's zookeeper.</summary>
internal sealed class ZooKeeper(int members) : Contender
{
    private readonly ZooKeeperServers _servers = new(Path.GetTempPath(), members, "2g");

    public override string Name => "ZooKeeper";

    public override IReadOnlyList<int> Ports => _servers.Ports;

    public override IEnumerable<int> Pids => _servers.Processes.Pids;

    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    public static void Need()
    {
        if (!File.Exists(ZooKeeperServers.Jar) || !File.Exists(ZooKeeperServers.Java))
        {
            throw new InvalidOperationException("ZooKeeper or java is missing: apt-get install zookeeper default-jre-headless (or leave it out: --only skep)");
        }
    }

    public override Task KillAsync(int server) => _servers.Processes.KillAsync(server);

    public override void StartAgain(int server) => _servers.Processes.StartAgain(server);

    public override void EnsureAlive() => _servers.Processes.EnsureAlive();

    public override ValueTask DisposeAsync() => _servers.DisposeAsync();
}

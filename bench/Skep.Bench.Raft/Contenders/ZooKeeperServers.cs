using System.Net.Sockets;
using System.Text;

namespace Skep.Bench.Raft;

/// <summary>Debian's zookeeper, without TLS, a sync before every acknowledgement: an ensemble, or one server alone.</summary>
internal sealed class ZooKeeperServers : IAsyncDisposable
{
    public const string Jar = "/usr/share/java/zookeeper.jar";
    public const string Java = "/usr/bin/java";

    /// <param name="parent">A folder on the disk to write to.</param>
    /// <param name="members">How many servers.</param>
    /// <param name="heap">The most a server's heap may have, as java takes it.</param>
    public ZooKeeperServers(string parent, int members, string heap)
    {
        Processes = new Servers(parent, "zookeeper");
        int[] ports = Loopback.FreePorts(3 * members);
        Ports = ports[..members];
        string[] others = [.. Enumerable.Range(0, members).Select(i => $"server.{i + 1}=127.0.0.1:{ports[members + i]}:{ports[(2 * members) + i]}")];
        for (int i = 0; i < members; i++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(Processes.Folder, $"m{i}")).FullName;
            File.WriteAllText(Path.Combine(folder, "myid"), $"{i + 1}");
            string configuration = Path.Combine(folder, "zoo.cfg");
            File.WriteAllLines(
                configuration,
                [
                    "tickTime=2000", "initLimit=10", "syncLimit=5", $"dataDir={folder}", $"clientPort={Ports[i]}", "clientPortAddress=127.0.0.1",
                    "maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=srvr", .. members > 1 ? others : [],
                ]);
            Processes.Start(Java, [$"-Xmx{heap}", "-cp", Jar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", configuration]);
        }
    }

    public Servers Processes { get; }

    /// <summary>Where clients reach each server.</summary>
    public int[] Ports { get; }

    /// <summary>Asks a server, of any kind that knows the word, for its part.</summary>
    /// <returns>What it calls itself, such as leader, follower or standalone; null when it serves nobody.</returns>
    public static async Task<string?> ModeAsync(int port, CancellationToken ct)
    {
        const string Mode = "Mode: ";
        using var stream = new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true);
        await stream.WriteAsync("srvr"u8.ToArray(), ct);
        string answer = await new StreamReader(stream, Encoding.ASCII).ReadToEndAsync(ct);
        return answer.Split('\n').FirstOrDefault(static l => l.StartsWith(Mode, StringComparison.Ordinal))?[Mode.Length..].Trim();
    }

    public ValueTask DisposeAsync() => Processes.DisposeAsync();
}

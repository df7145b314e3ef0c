using System.Diagnostics;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>The distribution's ZooKeeper, alone or as an ensemble, on the loopback and in a folder of its own.</summary>
internal sealed class ZooKeeperServers : ICoordinationServers
{
    private const string Classes = "/usr/share/java/zookeeper.jar";
    private const string AuditLogger = "AuditLogger - ";
    private readonly string folder = Directory.CreateTempSubdirectory("skep-zookeeper-").FullName;
    private readonly List<Process> processes = [];
    private readonly string[] addresses;
    private readonly (string Name, string Password)[] users;
    private readonly List<string> audit = [];

    private ZooKeeperServers(int servers, (string Name, string Password)[] users)
    {
        this.users = users;
        int[] client = Ports(servers), peer = Ports(servers), election = Ports(servers);
        addresses = [.. client.Select(p => $"127.0.0.1:{p}")];
        string members = servers == 1 ? "" : string.Concat(Enumerable.Range(0, servers).Select(i => $"server.{i + 1}=127.0.0.1:{peer[i]}:{election[i]}\n"));
        for (int i = 0; i < servers; i++)
        {
            string own = Path.Combine(folder, $"{i + 1}");
            Directory.CreateDirectory(Path.Combine(own, "data"));
            File.WriteAllText(Path.Combine(own, "data", "myid"), $"{i + 1}\n");
            File.WriteAllText(
                Path.Combine(own, "zoo.cfg"),
                $"tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={own}/data\nclientPort={client[i]}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n{members}");
        }
    }

    public string Connect => string.Join(',', addresses);

    public static async Task<ZooKeeperServers> StartAsync(int servers, params (string Name, string Password)[] users)
    {
        Judges.NeedZooKeeper();
        var started = new ZooKeeperServers(servers, users);
        try
        {
            started.Start();
            foreach (string address in started.addresses)
            {
                await Judges.ServesAsync(address, started.LogsAsync);
            }
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public Task<string> LogsAsync() => Task.FromResult(string.Concat(processes.Select((p, i) => $"--- ZooKeeper {i + 1} ({(p.HasExited ? "ended" : "runs")})\n")));

    public Task<IReadOnlyList<string>> AuditAsync()
    {
        lock (audit)
        {
            return Task.FromResult<IReadOnlyList<string>>([.. audit]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private static int[] Ports(int count) => [.. Enumerable.Range(0, count).Select(_ => SkepCluster.FreePort())];

    // The Java class that reads the users, and the one that lets ACLs name them.
    private string[] Proving()
    {
        if (users.Length == 0)
        {
            return [];
        }
        string file = Path.Combine(folder, "jaas.conf");
        string known = string.Join(' ', users.Select(u => $"user_{u.Name}=\"{u.Password}\""));
        File.WriteAllText(file, $"Server {{ org.apache.zookeeper.server.auth.DigestLoginModule required {known}; }};\n");
        return [$"-Djava.security.auth.login.config={file}", "-Dzookeeper.authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider", "-Dzookeeper.audit.enable=true"];
    }

    private void Keep(string? line)
    {
        if (line?.IndexOf(AuditLogger, StringComparison.Ordinal) is int at and >= 0)
        {
            lock (audit)
            {
                audit.Add(line[(at + AuditLogger.Length)..]);
            }
        }
    }

    private void Start()
    {
        for (int i = 0; i < addresses.Length; i++)
        {
            // Containers and nodes with a time to live pass away in tests of their own, not while these look.
            string[] java =
            [
                "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dzookeeper.extendedTypesEnabled=true", "-Dznode.container.checkIntervalMs=3600000",
                .. Proving(), "-cp", users.Length > 0 ? $"{Classes}:/usr/share/java/slf4j-simple.jar" : Classes, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg",
            ];
            var start = new ProcessStartInfo("/usr/bin/java", java) { WorkingDirectory = Path.Combine(folder, $"{i + 1}"), RedirectStandardOutput = true, RedirectStandardError = true };
            Process process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, e) => Keep(e.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            processes.Add(process);
        }
    }
}

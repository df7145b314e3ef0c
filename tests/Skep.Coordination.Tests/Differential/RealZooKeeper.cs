using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Skep.Coordination.Tests.Differential;

/// <summary>A standalone ZooKeeper from the distribution's package, on the loopback, with a folder of its own.</summary>
internal sealed class RealZooKeeper : IDisposable
{
    private const string Jar = "/usr/share/java/zookeeper.jar";
    private const string Java = "/usr/bin/java";
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-zookeeper-").FullName;
    private readonly Process _server;

    private RealZooKeeper()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        string config = Path.Combine(_folder, "zoo.cfg");
        File.WriteAllText(config, $"tickTime=2000\ndataDir={_folder}/data\nclientPort={Port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n");
        _server = Process.Start(new ProcessStartInfo(Java)
        {
            // Nothing passes away by itself while the test runs.
            ArgumentList =
            {
                "-Xmx256m", "-Dzookeeper.extendedTypesEnabled=true", "-Dznode.container.checkIntervalMs=3600000",
                "-cp", Jar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", config,
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        })!;
        _server.OutputDataReceived += (_, _) => { };
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
    }

    public int Port { get; }

    public static RealZooKeeper StartOrSkip()
    {
        if (!File.Exists(Jar) || !File.Exists(Java))
        {
            Assert.Skip("ZooKeeper is not installed: apt-get install zookeeper default-jre-headless");
        }
        return new RealZooKeeper();
    }

    /// <summary>A session, as soon as the server takes one.</summary>
    public RawClient Connect()
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new RawClient(Port);
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                if (_server.HasExited || deadline.Elapsed > TimeSpan.FromSeconds(60))
                {
                    throw new TimeoutException("phase: waiting for ZooKeeper to take a session", e);
                }
                _server.WaitForExit(100);
            }
        }
    }

    public void Dispose()
    {
        _server.Kill();
        _server.WaitForExit();
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

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

    private RealZooKeeper(string settings, Action<string>? prepare)
    {
        prepare?.Invoke(DataFolder);
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        string config = Path.Combine(_folder, "zoo.cfg");
        File.WriteAllText(config, $"tickTime=2000\ndataDir={_folder}/data\nclientPort={Port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n{settings}");
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

    /// <summary>Its dataDir; the files are below, in version-2.</summary>
    public string DataFolder => Path.Combine(_folder, "data");

    /// <param name="settings">Lines of the configuration; they count before those that all tests have.</param>
    /// <param name="prepare">Fills the dataDir before the server starts.</param>
    public static RealZooKeeper StartOrSkip(string settings = "", Action<string>? prepare = null)
    {
        if (!File.Exists(Jar) || !File.Exists(Java))
        {
            Assert.Skip("ZooKeeper is not installed: apt-get install zookeeper default-jre-headless");
        }
        return new RealZooKeeper(settings, prepare);
    }

    /// <summary>What the caller opens at the server's port, as soon as the server lets it.</summary>
    public T Connect<T>(Func<int, T> open)
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return open(Port);
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

    /// <summary>Ends the server as a crash would; its files stay until this is disposed.</summary>
    public void Stop()
    {
        _server.Kill();
        _server.WaitForExit();
    }

    public void Dispose()
    {
        Stop();
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

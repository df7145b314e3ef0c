using System.Net.Sockets;
using System.Text;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>Clients of ZooKeeper that others wrote, and the scripts by which they ask.</summary>
internal static class Judges
{
    private const string Python = "/usr/bin/python3";
    private static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "Coordination", "clients");
    private static readonly Lazy<Task<string>> CProgram = new(CompileAsync);
    private static readonly Dictionary<string, string> NoTraces = new() { ["PYTHONDONTWRITEBYTECODE"] = "1" };

    public static void NeedZooKeeper()
    {
        Need("/usr/share/java/zookeeper.jar", "zookeeper");
        Need("/usr/bin/java", "default-jre-headless");
    }

    /// <summary>A script on kazoo.</summary>
    public static Task<Said> KazooAsync(string script, params string[] arguments)
    {
        Need("/usr/lib/python3/dist-packages/kazoo/client.py", "python3-kazoo");
        return PythonAsync(script, arguments);
    }

    /// <summary>A script that needs no client library.</summary>
    public static Task<Said> PythonAsync(string script, params string[] arguments)
    {
        Need(Python, "python3");
        return Shell.RunAsync(Python, [Path.Combine(Scripts, script), .. arguments], environment: NoTraces);
    }

    /// <summary>The program on ZooKeeper's C client.</summary>
    public static async Task<Said> CAsync(params string[] arguments)
    {
        Need("/usr/include/zookeeper/zookeeper.h", "libzookeeper-mt-dev");
        Need("/usr/bin/gcc", "gcc");
        return await Shell.RunAsync(await CProgram.Value, arguments);
    }

    /// <summary>ZooKeeper's command line client, driven by its standard input.</summary>
    public static Task<Said> CommandLineAsync(params string[] arguments)
    {
        Need("/usr/lib/zookeeper/bin/cli_mt", "zookeeper-bin");
        return PythonAsync("cli.py", arguments);
    }

    /// <summary>The Java client's command line and its commands for quotas.</summary>
    public static Task<Said> QuotasAsync(params string[] arguments)
    {
        Need("/usr/share/zookeeper/bin/zkCli.sh", "zookeeper");
        return PythonAsync("quotas.py", arguments);
    }

    /// <summary>Kazoo and the Java client's command line, which prove by SASL who they are.</summary>
    public static Task<Said> SaslAsync(params string[] arguments)
    {
        Need("/usr/lib/python3/dist-packages/puresasl/client.py", "python3-pure-sasl");
        Need("/usr/share/zookeeper/bin/zkCli.sh", "zookeeper");
        return KazooAsync("sasl.py", arguments);
    }

    /// <summary>Waits until a server says that it serves.</summary>
    public static Task ServesAsync(string address, Func<Task<string>> logs) => Wait.Until(
        $"the server at {address} serves", async () => (await SrvrAsync(address)).Contains("Mode: ", StringComparison.Ordinal), logs);

    /// <summary>What a server says of itself.</summary>
    public static async Task<string> SrvrAsync(string address)
    {
        using var client = new TcpClient();

        // While it starts, ZooKeeper may take a connection that it then never answers.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        string[] parts = address.Split(':');
        await client.ConnectAsync(parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), patience.Token);
        await client.GetStream().WriteAsync("srvr"u8.ToArray(), patience.Token);
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        return await reader.ReadToEndAsync(patience.Token);
    }

    private static void Need(string file, string package) => Assert.SkipUnless(File.Exists(file), $"{file} is not here: apt-get install {package}");

    private static async Task<string> CompileAsync()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Coordination", "answers");
        (await Shell.RunAsync("/usr/bin/gcc", ["-O1", "-Wall", "-Werror", "-DTHREADED", Path.Combine(Scripts, "answers.c"), "-o", program, "-lzookeeper_mt", "-lpthread"])).Ok.ToString();
        return program;
    }
}

using System.Diagnostics;

namespace Skep.TestEngine;

/// <summary>A network of its own on this machine, with a cable to ours.</summary>
public sealed class NetworkNamespace : IDisposable
{
    private NetworkNamespace(string name, string prefix) => (Name, _prefix) = (name, prefix);

    private readonly string _prefix;

    /// <summary>Its name, as ip(8) lists it.</summary>
    public string Name { get; }

    /// <summary>Our end's address.</summary>
    public string Outside => _prefix + ".1";

    /// <summary>Its end's address.</summary>
    public string Inside => _prefix + ".2";

    /// <summary>What starts a command in it. (<c>ip netns exec</c> would hide the cgroups.)</summary>
    public IReadOnlyList<string> Wrapper => ["nsenter", $"--net=/var/run/netns/{Name}"];

    /// <summary>Makes one; needs root.</summary>
    public static NetworkNamespace Create()
    {
        var number = Random.Shared.Next(0, 65536);
        var net = new NetworkNamespace($"skn{number:x4}", $"10.{240 + number % 8}.{number / 256}");
        var (ours, theirs) = ($"{net.Name}a", $"{net.Name}b");
        Run($"netns add {net.Name}");
        Run($"link add {ours} type veth peer name {theirs} netns {net.Name}");
        Run($"addr add {net.Outside}/30 dev {ours}");
        Run($"link set {ours} up");
        Run($"-n {net.Name} addr add {net.Inside}/30 dev {theirs}");
        Run($"-n {net.Name} link set {theirs} up");
        Run($"-n {net.Name} link set lo up");
        return net;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Run($"link del {Name}a");
            Run($"netns del {Name}");
        }
        catch (InvalidOperationException)
        {
            // It goes with its last process.
        }
    }

    private static void Run(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments.Split(' ')) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"ip {arguments}: {error.Trim()}");
        }
    }
}

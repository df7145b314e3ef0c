using Microsoft.Extensions.Logging;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Docker;
using Skep.Agent.Executors.Process;

namespace Skep.Node.Agents;

/// <summary>What this node can run: containers where an engine answers, processes always.</summary>
internal static class NodeExecutors
{
    private const string UnixScheme = "unix://";

    /// <exception cref="NodeStartException">The engine's address is none that an engine listens on.</exception>
    public static IExecutor Create(NodeOptions options, ILoggerFactory logs, TimeProvider time) => new CompositeExecutor(
    [
        new DockerExecutor(
            new DockerExecutorOptions { Socket = EngineSocket(options.EngineAddress), StateDirectory = options.StateDirectory, Time = time },
            logs.CreateLogger<DockerExecutor>()),
        new ProcessExecutor(new ProcessExecutorOptions { StateDir = options.StateDirectory, AllowRootTasks = options.AllowRootTasks }, logs),
    ]);

    /// <summary>The path of the socket in <c>unix://path</c>.</summary>
    /// <exception cref="NodeStartException">The address is no unix socket's.</exception>
    public static string EngineSocket(string address) =>
        address.StartsWith(UnixScheme, StringComparison.Ordinal) && address.Length > UnixScheme.Length
            ? address[UnixScheme.Length..]
            : throw new NodeStartException($"--engine-addr {address}: expected the engine's unix socket, for instance unix:///var/run/docker.sock");
}

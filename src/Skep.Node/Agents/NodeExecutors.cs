using Microsoft.Extensions.Logging;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Process;

namespace Skep.Node.Agents;

/// <summary>What this node can run.</summary>
internal static class NodeExecutors
{
    public static IExecutor Create(NodeOptions options, ILoggerFactory logs, TimeProvider time)
    {
        _ = time;
        return new CompositeExecutor(
        [
            new ProcessExecutor(new ProcessExecutorOptions { StateDir = options.StateDirectory, AllowRootTasks = options.AllowRootTasks }, logs),
        ]);
    }
}

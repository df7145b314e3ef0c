using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>The loops that keep tasks what their services say; they run on the leader alone.</summary>
internal static class OrchestrationLoops
{
    /// <summary>All of them, not started.</summary>
    public static IReadOnlyList<ManagerLoop> All(ClusterStore store, TimeProvider time, ILoggerFactory loggers) =>
    [
        new OrchestratorLoop(store, time, loggers.CreateLogger<OrchestratorLoop>()),
        new TaskReaperLoop(store, time, loggers.CreateLogger<TaskReaperLoop>()),
        new ConstraintEnforcerLoop(store, time, loggers.CreateLogger<ConstraintEnforcerLoop>()),
    ];
}

/// <summary>Runs the <see cref="Orchestrator"/>.</summary>
internal sealed class OrchestratorLoop(ClusterStore store, TimeProvider time, ILogger logger)
    : StoreWorkerLoop(store, new Orchestrator(store, time, Ids.New), time, logger);

/// <summary>Runs the <see cref="TaskReaper"/>.</summary>
internal sealed class TaskReaperLoop(ClusterStore store, TimeProvider time, ILogger logger)
    : StoreWorkerLoop(store, new TaskReaper(store, time), time, logger);

/// <summary>Runs the <see cref="ConstraintEnforcer"/>.</summary>
internal sealed class ConstraintEnforcerLoop(ClusterStore store, TimeProvider time, ILogger logger)
    : StoreWorkerLoop(store, new ConstraintEnforcer(store, time), time, logger);

using System.CommandLine;
using Docker.Swarmkit.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Services;

/// <summary>How an update goes; a rollback has the same flags with its own prefix.</summary>
internal sealed class UpdateFlags(string prefix, string what, string task)
{
    private readonly string duringRollback = prefix == "rollback" ? " during rollback" : "";

    public Option<string> Delay => field ??= CommonFlags.Text($"--{prefix}-delay", $"delay between task updates{duringRollback} (0s = none) (default \"0s\")");

    public Option<string> OnFailure => field ??= CommonFlags.Text($"--{prefix}-on-failure", $"action on failure during {what} ({string.Join('|', Actions)}) (default \"pause\")");

    public Option<string> Order => field ??= CommonFlags.Text($"--{prefix}-order", $"order of shutting down old task and starting {task} task (stop-first|start-first) (default \"stop-first\")");

    public Option<ulong> Parallelism => field ??= CommonFlags.Count($"--{prefix}-parallelism", $"task update parallelism{duringRollback} (0 = all at once)");

    public IEnumerable<Symbol> All => [Delay, OnFailure, Order, Parallelism];

    private string[] Actions => prefix == "rollback" ? ["pause", "continue"] : ["pause", "continue", "rollback"];

    /// <summary>The config with what the flags say, or as it was when they say nothing.</summary>
    public UpdateConfig? Merge(Session s, UpdateConfig? config)
    {
        if (s.Has(Parallelism))
        {
            (config ??= new()).Parallelism = s.Flags.GetValue(Parallelism);
        }
        if (s.Has(Delay))
        {
            (config ??= new()).Delay = CommonFlags.Duration(s, Delay);
        }
        if (s.Has(OnFailure))
        {
            (config ??= new()).FailureAction = Choice.Of(s, OnFailure, Actions) switch
            {
                "pause" => UpdateConfig.Types.FailureAction.Pause,
                "continue" => UpdateConfig.Types.FailureAction.Continue,
                _ => UpdateConfig.Types.FailureAction.Rollback,
            };
        }
        if (s.Has(Order))
        {
            (config ??= new()).Order = Choice.Of(s, Order, "stop-first", "start-first") == "stop-first"
                ? UpdateConfig.Types.UpdateOrder.StopFirst
                : UpdateConfig.Types.UpdateOrder.StartFirst;
        }
        return config;
    }
}

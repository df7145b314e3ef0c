using System.CommandLine;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.Why;

/// <summary><c>task why</c> and <c>service why</c>: what is waiting, and what would mend it.</summary>
internal static class WhyCommands
{
    public static Func<Session, CancellationToken, Task> TaskAsync(Argument<string[]> words) => async (s, ct) =>
    {
        var answer = await Client(s).WhyTaskAsync(new() { TaskId = s.One(words, "task ID missing") }, cancellationToken: ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(answer.Task);
            return;
        }
        Write(s, answer.Task, "");
    };

    public static Func<Session, CancellationToken, Task> ServiceAsync(Argument<string[]> words) => async (s, ct) =>
    {
        ServiceExplanation service = (await Client(s).WhyServiceAsync(new() { Service = s.One(words, "service ID missing") }, cancellationToken: ct).ConfigureAwait(false)).Service;
        if (s.Json)
        {
            s.WriteJson(service);
            return;
        }
        s.Output.WriteLine($"{service.Name} ({service.Mode}): {service.RunningTasks} of {service.WantedTasks} tasks run{(service.Converged ? "; all is as it should be" : "")}");
        WriteReasons(s, service.Reasons, "");
        foreach (TaskExplanation task in service.Tasks)
        {
            s.Output.WriteLine();
            Write(s, task, "  ");
        }
        if (service.MoreTasks > 0)
        {
            s.Output.WriteLine($"\n  and {service.MoreTasks} more tasks that are not as desired");
        }
    };

    private static Skep.V1.Why.WhyClient Client(Session s) => new(s.Connection.Invoker);

    private static void Write(Session s, TaskExplanation task, string indent)
    {
        string node = task.NodeName.Length > 0 ? $" on {task.NodeName}" : "";
        s.Output.WriteLine($"{indent}{task.Name} ({task.TaskId}){node}: {Skep.Api.WireNames.Of(task.State)}, wanted {Skep.Api.WireNames.Of(task.DesiredState)}{(task.AsDesired ? "; as it should be" : "")}");
        WriteReasons(s, task.Reasons, indent);
    }

    private static void WriteReasons(Session s, IEnumerable<Reason> reasons, string indent)
    {
        foreach (Reason reason in reasons)
        {
            s.Output.WriteLine($"{indent}  {reason.Summary}");

            // A reason that is one filter's alone has said it already.
            bool said = reason.Filters is [var only] && reason.Summary.EndsWith(only.Summary, StringComparison.Ordinal);
            foreach (FilterExplanation filter in said ? [] : reason.Filters.AsEnumerable())
            {
                s.Output.WriteLine($"{indent}    {filter.Nodes} node{(filter.Nodes == 1 ? "" : "s")}: {filter.Summary}");
                WriteMend(s, filter.Mend, indent + "    ");
            }
            if (reason.EngineMessage.Length > 0 && !reason.Summary.Contains(reason.EngineMessage, StringComparison.Ordinal))
            {
                s.Output.WriteLine($"{indent}    in the node's words: {reason.EngineMessage}");
            }
            if (reason.NextTryAt is not null)
            {
                s.Output.WriteLine($"{indent}    next try: {HumanTime.Ago(reason.NextTryAt, s.Now)}");
            }
            if (said || reason.Filters.All(f => f.Mend != reason.Mend))
            {
                WriteMend(s, reason.Mend, indent + "  ");
            }
        }
    }

    private static void WriteMend(Session s, string mend, string indent)
    {
        if (mend.Length > 0)
        {
            s.Output.WriteLine($"{indent}  → {mend}");
        }
    }
}

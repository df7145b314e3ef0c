using System.CommandLine;
using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;
using Swarmctl.Why;

namespace Swarmctl.Tasks;

/// <summary><c>swarmctl task …</c></summary>
internal static class TaskCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("task ID");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display IDs");
    private static readonly Option<bool> AllTasks = CommonFlags.AllTasks();

    public static Command All() => Verb.Group(
        "task", "Task management",
        Verb.Make("inspect", "Inspect a task", InspectAsync, Words),
        Verb.Make("ls", "List tasks", ListAsync, AllTasks, Quiet),
        Verb.Make("remove", "Remove a task", RemoveAsync, Words).Alias("rm"),
        Verb.Make("why", "Explain what a task waits for and what would mend it", WhyCommands.TaskAsync(Words), Words));

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        bool all = s.Flags.GetValue(AllTasks);
        IEnumerable<SwarmTask> tasks = (await s.Control.ListTasksAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Tasks
            .Where(t => all || t.DesiredState <= TaskState.Running)
            .OrderBy(t => t.Id, StringComparer.Ordinal);
        if (s.Json)
        {
            s.WriteJson(tasks);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            tasks.ToList().ForEach(t => s.Output.WriteLine(t.Id));
            return;
        }
        await s.Names.LearnNodesAsync(ct).ConfigureAwait(false);
        TabText table = TabText.ForList().Header("ID", "Service", "Desired State", "Last State", "Node");
        foreach (SwarmTask task in tasks)
        {
            string service = (s.Names.KeepsIds ? task.ServiceId : task.ServiceAnnotations?.Name) + (task.Slot > 0 ? $".{task.Slot}" : $".{task.NodeId}");
            table.Line(string.Join(
                '\t',
                task.Id, service, WireNames.Of(task.DesiredState), TaskTable.LastState(task, s.Now), await s.Names.NodeAsync(task.NodeId, ct).ConfigureAwait(false)));
        }
        s.Output.Write(table);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        SwarmTask task = await s.TaskAsync(s.One(Words, "task ID missing"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(task);
            return;
        }
        var siblings = (await s.Control.ListTasksAsync(new() { Filters = new() { ServiceIds = { task.ServiceId } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks;
        List<SwarmTask> parents = [.. siblings.Where(t => t.Slot == task.Slot && (task.Slot != 0 || t.NodeId == task.NodeId))];
        s.Output.Write(TaskSummary.Of(
            task,
            await s.Names.ServiceAsync(task.ServiceId, ct).ConfigureAwait(false),
            await s.Names.NodeAsync(task.NodeId, ct).ConfigureAwait(false)));
        if (parents.Count > 0)
        {
            s.Output.WriteLine("\n===> Task Parents");
            await TaskTable.WriteAsync(s, parents, all: true, ct).ConfigureAwait(false);
        }
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        SwarmTask task = await s.TaskAsync(s.One(Words, "task ID missing"), ct).ConfigureAwait(false);
        await s.Control.RemoveTaskAsync(new() { TaskId = task.Id }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(task.Id);
    }
}

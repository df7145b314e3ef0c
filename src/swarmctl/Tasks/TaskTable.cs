using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.Tasks;

/// <summary>Tasks as <c>service inspect</c> and <c>node inspect</c> show them: by slot, the newest first.</summary>
internal static class TaskTable
{
    public static async Task WriteAsync(Session s, IEnumerable<SwarmTask> tasks, bool all, CancellationToken ct)
    {
        var table = new TabText(4, 4);
        table.Header("Task ID", "Service", "Slot", "Image", "Desired State", "Last State", "Node");
        foreach (SwarmTask task in tasks.OrderBy(t => t.Slot).ThenByDescending(t => t.Meta?.CreatedAt?.ToDateTimeOffset()))
        {
            if (all || task.DesiredState <= TaskState.Running)
            {
                table.Line(string.Join(
                    '\t',
                    task.Id,
                    task.ServiceAnnotations?.Name,
                    task.Slot,
                    RuntimeText.Image(task.Spec),
                    WireNames.Of(task.DesiredState),
                    LastState(task, s.Now),
                    await s.Names.NodeAsync(task.NodeId, ct).ConfigureAwait(false)));
            }
        }
        s.Output.Write(table);
    }

    public static string LastState(SwarmTask task, DateTimeOffset now) =>
        $"{WireNames.Of(task.Status?.State ?? default)} {HumanTime.Ago(task.Status?.Timestamp, now)}";
}

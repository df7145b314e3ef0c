using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Orchestration;
using Skep.Store;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        if (request.TaskId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        return Task.FromResult(new GetTaskResponse
        {
            Task = store.Read(view => view.Get<SwarmTask>(request.TaskId)) ?? throw Refusal.NotFound($"task {request.TaskId} not found"),
        });
    }

    /// <inheritdoc/>
    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        ListTasksRequest.Types.Filters f = request.Filters ?? new();
        List<SwarmTask> tasks = store.Read(view =>
        {
            IEnumerable<SwarmTask> candidates =
                f.ServiceIds.Count > 0 ? f.ServiceIds.Distinct().SelectMany(view.TasksByService)
                : f.NodeIds.Count > 0 ? f.NodeIds.Distinct().SelectMany(view.TasksByNode)
                : view.List<SwarmTask>();
            var upToDate = f.UpToDate ? new UpToDate(view) : null;
            return candidates.Where(t => Passes(t, f) && (upToDate?.Is(t) ?? true)).ToList();
        });
        tasks.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id));
        return Task.FromResult(new ListTasksResponse { Tasks = { tasks } });
    }

    /// <inheritdoc/>
    public override async Task<RemoveTaskResponse> RemoveTask(RemoveTaskRequest request, ServerCallContext context)
    {
        if (request.TaskId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        await WriteAsync(
            tx =>
            {
                if (tx.Get<SwarmTask>(request.TaskId) is null)
                {
                    throw Refusal.NotFound($"task {request.TaskId} not found");
                }
                tx.Remove<SwarmTask>(request.TaskId);
            },
            context).ConfigureAwait(false);
        LogChange("task", request.TaskId, request.TaskId, "removed");
        return new RemoveTaskResponse();
    }

    private static bool Passes(SwarmTask task, ListTasksRequest.Types.Filters f) =>
        Matching.OneOf(task.ServiceId, f.ServiceIds)
        && Matching.OneOf(task.NodeId, f.NodeIds)
        && Matching.OneOf(task.DesiredState, f.DesiredStates)
        && Matching.StartsWithOneOf(task.Id, f.IdPrefixes)
        && (f.Names.Count == 0 || Matching.OneOf(ObjectNames.Of(task), f.Names))
        && (f.NamePrefixes.Count == 0 || Matching.StartsWithOneOf(ObjectNames.Of(task), f.NamePrefixes))
        && Matching.HasLabels(task.ServiceAnnotations?.Labels, f.Labels)
        && Matching.OneOf(ObjectNames.RuntimeOf(task.Spec) ?? "", f.Runtimes);

    // Whether tasks are as their services' present specs say; one check serves all tasks of a service.
    private sealed class UpToDate(IStoreView view)
    {
        private readonly Dictionary<string, DirtyCheck?> checks = new(StringComparer.Ordinal);

        public bool Is(SwarmTask task)
        {
            if (!checks.TryGetValue(task.ServiceId, out DirtyCheck? check))
            {
                check = view.Get<Service>(task.ServiceId) is { } service ? new DirtyCheck(service) : null;
                checks[task.ServiceId] = check;
            }
            return check is not null && !check.IsDirty(task, view.Get<Node>(task.NodeId));
        }
    }
}

using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Store;
using Skep.V1;
using Contract = Skep.V1.Why;

namespace Skep.Manager.Why;

/// <summary>Explains what waits in the cluster and what would mend it.</summary>
/// <param name="store">The cluster.</param>
/// <param name="time">The clock ages and next tries are told by.</param>
public sealed class WhyExplainer(ClusterStore store, TimeProvider time) : Contract.WhyBase
{
    /// <summary>Why a task is not running; the task by its id, or a prefix that only one has.</summary>
    public override Task<WhyTaskResponse> WhyTask(WhyTaskRequest request, ServerCallContext context)
    {
        if (request.TaskId.Length == 0)
        {
            throw Refusal.Invalid("task ID must be provided");
        }
        WhySnapshot cluster = Snapshot();
        SwarmTask task = One(cluster.Tasks, t => t.Id, request.TaskId, "task");
        return Task.FromResult(new WhyTaskResponse { Task = new TaskExplainer(cluster).Explain(task) });
    }

    /// <summary>Why a service is not as it was asked for; the service by its id, its name, or a prefix of the id that only one has.</summary>
    public override Task<WhyServiceResponse> WhyService(WhyServiceRequest request, ServerCallContext context)
    {
        if (request.Service.Length == 0)
        {
            throw Refusal.Invalid("service ID or name must be provided");
        }
        WhySnapshot cluster = Snapshot();
        Service service = cluster.Services.FirstOrDefault(s => string.Equals(s.Spec?.Annotations?.Name, request.Service, StringComparison.OrdinalIgnoreCase))
            ?? One(cluster.Services, s => s.Id, request.Service, "service");
        return Task.FromResult(new WhyServiceResponse { Service = new ServiceExplainer(cluster).Explain(service) });
    }

    /// <summary>What is up, and which services have not converged.</summary>
    public override Task<ClusterStatusResponse> ClusterStatus(ClusterStatusRequest request, ServerCallContext context)
    {
        string clusterId = store.Read(ClusterObject.Find)?.Id ?? "";
        return Task.FromResult(ClusterSummary.Of(Snapshot(), clusterId));
    }

    private WhySnapshot Snapshot()
    {
        DateTimeOffset now = time.GetUtcNow();
        return store.Read(view => WhySnapshot.Of(view, now));
    }

    private static T One<T>(IReadOnlyList<T> all, Func<T, string> idOf, string wanted, string kind)
        where T : class
    {
        if (all.FirstOrDefault(o => idOf(o) == wanted) is { } exact)
        {
            return exact;
        }
        List<T> found = [.. all.Where(o => idOf(o).StartsWith(wanted, StringComparison.Ordinal)).Take(2)];
        return found.Count switch
        {
            0 => throw Refusal.NotFound($"{kind} {wanted} not found"),
            1 => found[0],
            _ => throw Refusal.Invalid($"{kind} {wanted} is ambiguous: more than one id starts with it"),
        };
    }
}

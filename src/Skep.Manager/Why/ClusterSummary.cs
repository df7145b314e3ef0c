using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Manager.Orchestration;
using Skep.V1;
using NodeStanding = Docker.Swarmkit.V1.NodeStatus.Types.State;

namespace Skep.Manager.Why;

/// <summary>Counts the cluster: what is up, and what has not come about yet. Pure.</summary>
internal static class ClusterSummary
{
    private const int MaxNamed = 100;

    /// <summary>The cluster's standing.</summary>
    public static ClusterStatusResponse Of(WhySnapshot cluster, string clusterId)
    {
        var explainer = new ServiceExplainer(cluster);
        List<Service> waiting = [.. cluster.Services.Where(s => !explainer.HasConverged(s)).OrderBy(s => s.Spec.Annotations.Name, StringComparer.Ordinal)];
        var status = new ClusterStatusResponse
        {
            ClusterId = clusterId,
            Managers = (uint)cluster.Nodes.Values.Count(n => n.Role == NodeRole.Manager),
            NodesReady = (uint)cluster.Nodes.Values.Count(n => StateOf(n) == NodeStanding.Ready),
            NodesDown = (uint)cluster.Nodes.Values.Count(n => StateOf(n) == NodeStanding.Down),
            NodesUnknown = (uint)cluster.Nodes.Values.Count(n => StateOf(n) is NodeStanding.Unknown or NodeStanding.Disconnected),
            NodesDrained = (uint)cluster.Nodes.Values.Count(n => n.Spec?.Availability == NodeSpec.Types.Availability.Drain),
            NodesPaused = (uint)cluster.Nodes.Values.Count(n => n.Spec?.Availability == NodeSpec.Types.Availability.Pause),
            Services = (uint)cluster.Services.Count,
            ServicesConverged = (uint)(cluster.Services.Count - waiting.Count),
            TasksWanted = cluster.Counts.Values.Aggregate(0UL, (sum, c) => sum + c.DesiredTasks),
            TasksRunning = (ulong)cluster.Tasks.Count(t => t.Observed() == TaskState.Running),
            TasksWaiting = (ulong)cluster.Tasks.Count(t => t.IsWanted() && t.Observed() < TaskState.Assigned),
        };
        status.WaitingServices.Add(waiting.Take(MaxNamed).Select(s => new ServiceBrief
        {
            ServiceId = s.Id,
            Name = s.Spec.Annotations.Name,
            WantedTasks = cluster.Counts[s.Id].DesiredTasks,
            RunningTasks = cluster.Counts[s.Id].RunningTasks,
            Summary = explainer.Summary(s),
        }));
        status.TroubledNodes.Add(cluster.Nodes.Values
            .Where(n => StateOf(n) != NodeStanding.Ready)
            .OrderBy(ObjectNames.Of, StringComparer.Ordinal)
            .Take(MaxNamed)
            .Select(n => new NodeBrief { NodeId = n.Id, Name = ObjectNames.Of(n), State = StateOf(n), Message = n.Status?.Message ?? "" }));
        return status;
    }

    private static NodeStanding StateOf(Node node) => node.Status?.State ?? NodeStanding.Unknown;
}

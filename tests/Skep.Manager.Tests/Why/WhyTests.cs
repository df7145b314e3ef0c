using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Tests.Control;
using Skep.Manager.Why;
using Skep.V1;
using Kind = Skep.V1.Reason.Types.Kind;
using NodeStanding = Docker.Swarmkit.V1.NodeStatus.Types.State;

namespace Skep.Manager.Tests.Why;

/// <summary>What waits says why, and what would mend it.</summary>
public sealed class WhyTests : IDisposable
{
    private const long GiB = 1L << 30;
    private readonly ControlCluster cluster = new();
    private readonly WhyExplainer why;

    public WhyTests()
    {
        why = new(cluster.Store, cluster.Time);
        cluster.Change<Node>(ControlCluster.ManagerId, n => Fill(n, "node-1", 8 * GiB));
        AddNode("n2", "node-2", 24 * GiB);
    }

    [Fact]
    public async Task More_memory_than_any_node_has()
    {
        Service service = await Create(s => s.Task.Resources = new() { Reservations = new() { MemoryBytes = 64 * GiB } });
        AddTask(service, "t1", TaskState.Pending);
        Reason reason = await OnlyReason("t1");
        Assert.Equal(Kind.NoNode, reason.Kind);
        Assert.Equal("asks 64 GiB of memory; the largest node has 24 GiB (node-2)", reason.Summary);
        Assert.Equal("Lower --memory-reservation, or add a node with at least 64 GiB of memory.", reason.Mend);
        FilterExplanation filter = Assert.Single(reason.Filters);
        Assert.Equal(("resources", 2U, "node-2"), (filter.Filter, filter.Nodes, filter.NearestNode));
    }

    [Fact]
    public async Task More_memory_than_is_free()
    {
        Service holder = await Create(s => s.Annotations.Name = "holder");
        cluster.Add(new SwarmTask
        {
            Id = "h1",
            ServiceId = holder.Id,
            NodeId = "n2",
            DesiredState = TaskState.Running,
            Status = new() { State = TaskState.Running },
            Spec = new() { Resources = new() { Reservations = new() { MemoryBytes = 20 * GiB } } },
        });
        Service service = await Create(s => s.Task.Resources = new() { Reservations = new() { MemoryBytes = 10 * GiB } });
        AddTask(service, "t1", TaskState.Pending);
        Reason reason = await OnlyReason("t1");
        Assert.Equal("asks 10 GiB of memory; the most that is free on a node is 8 GiB of 8 GiB (node-1)", reason.Summary);
        Assert.Equal("Lower --memory-reservation, free 2 GiB of memory on node-1, or add a node.", reason.Mend);
    }

    [Fact]
    public async Task A_label_no_node_has()
    {
        Service service = await Create(s => s.Task.Placement = new() { Constraints = { "node.labels.zone==a" } });
        AddTask(service, "t1", TaskState.Pending);
        Reason reason = await OnlyReason("t1");
        Assert.Equal("2 nodes not meeting constraints: asks node.labels.zone==a; node-1 has none", reason.Summary);
        Assert.StartsWith("swarmctl node update node-1 --label zone=a", reason.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_that_are_away_come_after_nodes_that_lack_something()
    {
        cluster.Change<Node>(ControlCluster.ManagerId, n => n.Spec.Availability = NodeSpec.Types.Availability.Drain);
        AddNode("n3", "node-3", GiB, NodeStanding.Down);
        Service service = await Create(s => s.Task.Resources = new() { Reservations = new() { NanoCpus = 64_000_000_000 } });
        AddTask(service, "t1", TaskState.Pending);
        Reason reason = await OnlyReason("t1");
        Assert.Equal("asks 64 CPUs; the largest node has 4 CPUs (node-2); 1 node drained (node-1), 1 node down (node-3)", reason.Summary);
        Assert.Equal(["ready", "resources"], reason.Filters.Select(f => f.Filter));
    }

    [Fact]
    public async Task A_drained_cluster()
    {
        foreach (string id in new[] { ControlCluster.ManagerId, "n2" })
        {
            cluster.Change<Node>(id, n => n.Spec.Availability = NodeSpec.Types.Availability.Drain);
        }
        AddTask(await Create(), "t1", TaskState.Pending);
        Reason reason = await OnlyReason("t1");
        Assert.Equal("2 nodes drained (node-1, node-2)", reason.Summary);
        Assert.StartsWith("swarmctl node activate node-", reason.Mend, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TaskState.New, Kind.NotAllocated, "it has no ports and addresses yet")]
    [InlineData(TaskState.Pending, Kind.NotScheduled, "2 nodes can run it; the scheduler has not placed it yet")]
    [InlineData(TaskState.Assigned, Kind.NoAgentReport, "it was given to node-2 30s ago; its agent has not reported on it")]
    [InlineData(TaskState.Preparing, Kind.Preparing, "node-2 has been preparing it for 30s (images, files)")]
    [InlineData(TaskState.Starting, Kind.Preparing, "node-2 has been starting it for 30s")]
    public async Task A_task_on_its_way(TaskState state, Kind kind, string summary)
    {
        AddTask(await Create(), "t1", state, node: state > TaskState.Pending ? "n2" : "");
        cluster.Time.Advance(TimeSpan.FromSeconds(30));
        Reason reason = await OnlyReason("t1");
        Assert.Equal((kind, summary), (reason.Kind, reason.Summary));
    }

    [Fact]
    public async Task A_node_that_went_down()
    {
        AddTask(await Create(), "t1", TaskState.Preparing, node: "n2");
        cluster.Change<Node>("n2", n => n.Status = new() { State = NodeStanding.Down, Message = "heartbeat failure" });
        Reason reason = await OnlyReason("t1");
        Assert.Equal(Kind.NodeDown, reason.Kind);
        Assert.Equal("node-2 is DOWN (heartbeat failure) and says nothing of the task", reason.Summary);
        Assert.Equal("Start swarmd on node-2; or, if it is gone for good, swarmctl node remove node-2", reason.Mend);
    }

    [Fact]
    public async Task An_image_that_is_nowhere_is_tried_again_at_a_time_that_is_told()
    {
        Service service = await Create();
        AddTask(service, "t1", TaskState.Rejected, TaskState.Shutdown, node: "n2", err: "No such image: redis:9");
        cluster.Time.Advance(TimeSpan.FromSeconds(1));
        AddTask(service, "t2", TaskState.Pending, TaskState.Ready);

        TaskExplanation first = (await why.WhyTask(new() { TaskId = "t1" }, null!)).Task;
        Assert.Equal(Kind.Image, first.Reasons[0].Kind);
        Assert.Equal("No such image: redis:9", first.Reasons[0].EngineMessage);

        TaskExplanation next = (await why.WhyTask(new() { TaskId = "t2" }, null!)).Task;
        Reason backoff = next.Reasons[0];
        Assert.Equal(Kind.Backoff, backoff.Kind);
        Assert.Equal(cluster.Time.GetUtcNow() + TimeSpan.FromSeconds(5), backoff.NextTryAt.ToDateTimeOffset());
        Assert.StartsWith("it is tried again in 5s, since the task before it ended: node-2 cannot get the image redis:3.0.5", backoff.Summary, StringComparison.Ordinal);
        Assert.Equal("No such image: redis:9", backoff.EngineMessage);
    }

    [Fact]
    public async Task A_replacement_that_waits_for_the_task_before_it()
    {
        Service service = await Create();
        AddTask(service, "t1", TaskState.Running, TaskState.Shutdown, node: "n2");
        cluster.Time.Advance(TimeSpan.FromSeconds(1));
        AddTask(service, "t2", TaskState.Ready, TaskState.Ready, node: "n2");
        TaskExplanation waiting = (await why.WhyTask(new() { TaskId = "t2" }, null!)).Task;
        Assert.Equal((Kind.WaitsForOld, "t1"), (waiting.Reasons[0].Kind, waiting.Reasons[0].TaskId));
        Reason stopping = await OnlyReason("t1");
        Assert.Equal(Kind.Stopping, stopping.Kind);
        Assert.Contains("grace period of 10s", stopping.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_is_not_restarted()
    {
        Service service = await Create(s => s.Task.Restart = new() { Condition = RestartPolicy.Types.RestartCondition.None });
        AddTask(service, "t1", TaskState.Failed, TaskState.Shutdown, node: "n2", err: "task: non-zero exit (1)");
        TaskExplanation task = (await why.WhyTask(new() { TaskId = "t1" }, null!)).Task;
        Assert.Equal([Kind.Failed, Kind.GivenUp], task.Reasons.Select(r => r.Kind));
        Assert.Contains("swarmctl service logs web", task.Reasons[0].Mend, StringComparison.Ordinal);
        Assert.Contains("its restart condition is none", task.Reasons[1].Summary, StringComparison.Ordinal);

        ServiceExplanation explained = (await why.WhyService(new() { Service = "web" }, null!)).Service;
        Assert.False(explained.Converged);
        Assert.Equal("t1", Assert.Single(explained.Tasks).TaskId);
    }

    [Fact]
    public async Task A_running_task_has_no_reasons_and_its_service_has_converged()
    {
        Service service = await Create();
        AddTask(service, "t1", TaskState.Running, node: "n2");
        TaskExplanation task = (await why.WhyTask(new() { TaskId = "t1" }, null!)).Task;
        Assert.True(task.AsDesired);
        Assert.Empty(task.Reasons);
        Assert.Equal(("web.1", "node-2"), (task.Name, task.NodeName));
        ServiceExplanation explained = (await why.WhyService(new() { Service = service.Id[..10] }, null!)).Service;
        Assert.True(explained.Converged);
        Assert.Empty(explained.Reasons);
    }

    [Fact]
    public async Task A_paused_update_names_the_task_that_failed()
    {
        Service service = await Create();
        AddTask(service, "t1", TaskState.Failed, TaskState.Shutdown, node: "n2", err: "task: non-zero exit (1)");
        cluster.Change<Service>(service.Id, s => s.UpdateStatus = new()
        {
            State = UpdateStatus.Types.UpdateState.Paused,
            Message = "update paused due to failure or early termination of task t1",
        });
        ServiceExplanation explained = (await why.WhyService(new() { Service = "web" }, null!)).Service;
        Reason reason = explained.Reasons[0];
        Assert.Equal((Kind.UpdatePaused, "t1"), (reason.Kind, reason.TaskId));
        Assert.Equal("update paused due to failure or early termination of task t1: it failed on node-2: task: non-zero exit (1)", reason.Summary);
        Assert.Contains("swarmctl service update web", reason.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_sums_up_what_its_tasks_wait_for()
    {
        Service service = await Create(s =>
        {
            s.Replicated.Replicas = 3;
            s.Task.Resources = new() { Reservations = new() { MemoryBytes = 64 * GiB } };
        });
        AddTask(service, "t1", TaskState.Pending, slot: 1);
        AddTask(service, "t2", TaskState.Pending, slot: 2);
        AddTask(service, "t3", TaskState.Pending, slot: 3);
        ServiceExplanation explained = (await why.WhyService(new() { Service = "WEB" }, null!)).Service;
        Assert.Equal((3UL, 0UL, false), (explained.WantedTasks, explained.RunningTasks, explained.Converged));
        Assert.Equal("3 tasks: asks 64 GiB of memory; the largest node has 24 GiB (node-2)", Assert.Single(explained.Reasons).Summary);
        Assert.Equal(3, explained.Tasks.Count);
    }

    [Fact]
    public async Task A_service_nobody_asked_a_task_of()
    {
        await Create(s => s.Replicated.Replicas = 0);
        ServiceExplanation explained = (await why.WhyService(new() { Service = "web" }, null!)).Service;
        Assert.Equal(Kind.NoReplicas, Assert.Single(explained.Reasons).Kind);
        Assert.True(explained.Converged);
    }

    [Fact]
    public async Task A_global_service_without_an_eligible_node()
    {
        await Create(s =>
        {
            s.Global = new();
            s.Task.Placement = new() { Constraints = { "node.platform.os==plan9" } };
        });
        ServiceExplanation explained = (await why.WhyService(new() { Service = "web" }, null!)).Service;
        Assert.False(explained.Converged);
        Assert.Equal(Kind.NoEligibleNode, Assert.Single(explained.Reasons).Kind);
    }

    [Fact]
    public async Task The_cluster_s_standing()
    {
        AddNode("n3", "node-3", GiB, NodeStanding.Down);
        Service waiting = await Create(s => s.Task.Resources = new() { Reservations = new() { MemoryBytes = 64 * GiB } });
        AddTask(waiting, "t1", TaskState.Pending);
        Service running = await Create(s => s.Annotations.Name = "fine");
        AddTask(running, "t2", TaskState.Running, node: "n2");

        ClusterStatusResponse status = await why.ClusterStatus(new(), null!);
        Assert.Equal((1U, 2U, 1U), (status.Managers, status.NodesReady, status.NodesDown));
        Assert.Equal((2U, 1U), (status.Services, status.ServicesConverged));
        Assert.Equal((2UL, 1UL, 1UL), (status.TasksWanted, status.TasksRunning, status.TasksWaiting));
        ServiceBrief brief = Assert.Single(status.WaitingServices);
        Assert.Equal(("web", "asks 64 GiB of memory; the largest node has 24 GiB (node-2); 1 node down (node-3)"), (brief.Name, brief.Summary));
        Assert.Equal("node-3", Assert.Single(status.TroubledNodes).Name);
    }

    [Fact]
    public async Task What_is_not_there_or_not_clear_is_refused()
    {
        AddTask(await Create(), "t1", TaskState.Running, node: "n2");
        AddTask((await why.WhyTask(new() { TaskId = "t1" }, null!)).Task.ServiceId, "t2");
        await ControlCluster.Refused(StatusCode.NotFound, "task x not found", () => why.WhyTask(new() { TaskId = "x" }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "task t is ambiguous: more than one id starts with it", () => why.WhyTask(new() { TaskId = "t" }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, "service x not found", () => why.WhyService(new() { Service = "x" }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "task ID must be provided", () => why.WhyTask(new(), null!));
    }

    public void Dispose() => cluster.Dispose();

    private static void Fill(Node node, string hostname, long memoryBytes)
    {
        node.Status = new() { State = NodeStanding.Ready };
        node.Description = new()
        {
            Hostname = hostname,
            Platform = new() { Os = "linux", Architecture = "x86_64" },
            Resources = new() { MemoryBytes = memoryBytes, NanoCpus = 4_000_000_000 },
            Engine = new() { EngineVersion = "20.10.24" },
        };
    }

    private void AddNode(string id, string hostname, long memoryBytes, NodeStanding state = NodeStanding.Ready)
    {
        var node = new Node { Id = id, Spec = new() };
        Fill(node, hostname, memoryBytes);
        node.Status.State = state;
        cluster.Add(node);
    }

    private Task<Service> Create(Action<ServiceSpec>? change = null)
    {
        ServiceSpec spec = ControlCluster.ServiceSpec();
        change?.Invoke(spec);
        return cluster.CreateService(spec);
    }

    private void AddTask(string serviceId, string id) => AddTask(cluster.Get<Service>(serviceId), id, TaskState.Running, node: "n2");

    private void AddTask(
        Service service, string id, TaskState state, TaskState desired = TaskState.Running, string node = "", string err = "", ulong slot = 1) => cluster.Add(new SwarmTask
        {
            Id = id,
            ServiceId = service.Id,
            Slot = slot,
            NodeId = node,
            Spec = service.Spec.Task.Clone(),
            SpecVersion = service.SpecVersion.Clone(),
            ServiceAnnotations = new() { Name = service.Spec.Annotations.Name },
            DesiredState = desired,
            Status = new() { State = state, Err = err, Timestamp = Timestamp.FromDateTimeOffset(cluster.Time.GetUtcNow()) },
        });

    private async Task<Reason> OnlyReason(string taskId) => Assert.Single((await why.WhyTask(new() { TaskId = taskId }, null!)).Task.Reasons);
}

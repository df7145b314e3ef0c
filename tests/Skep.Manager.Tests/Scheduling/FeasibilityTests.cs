using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;
using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Tests.Scheduling;

public sealed class FeasibilityTests
{
    private static readonly Node Plain = A.Node("n1");

    [Fact]
    public void A_plain_task_fits_a_ready_node() => Assert.Equal(FeasibilityFilters.None, Check(A.Task("t"), Plain));

    [Theory]
    [InlineData(NodeStatus.Types.State.Down, NodeSpec.Types.Availability.Active)]
    [InlineData(NodeStatus.Types.State.Ready, NodeSpec.Types.Availability.Pause)]
    [InlineData(NodeStatus.Types.State.Ready, NodeSpec.Types.Availability.Drain)]
    public void A_node_that_is_not_ready_and_active_takes_nothing(NodeStatus.Types.State state, NodeSpec.Types.Availability availability)
    {
        Node node = Plain.With(n =>
        {
            n.Status.State = state;
            n.Spec.Availability = availability;
        });

        Assert.Equal(FeasibilityFilters.Ready, Check(A.Task("t"), node));
        Assert.Equal("no suitable node (1 node not available for new tasks)", Explain(A.Task("t"), node));
    }

    [Fact]
    public void Reservations_count_until_the_task_has_ended()
    {
        SwarmTask big = A.Task("a", node: "n1", state: TaskState.Running).Reserving(memoryBytes: 6 * A.GiB);
        SwarmTask stopping = big.With(t => t.DesiredState = TaskState.Shutdown);
        SwarmTask ended = stopping.With(t => t.Status.State = TaskState.Shutdown);
        SwarmTask next = A.Task("b").Reserving(memoryBytes: 3 * A.GiB);

        Assert.Equal(FeasibilityFilters.Resources, Check(next, Plain, big));
        Assert.Equal(FeasibilityFilters.Resources, Check(next, Plain, stopping));
        Assert.Equal(FeasibilityFilters.None, Check(next, Plain, ended));
        Assert.Equal("no suitable node (insufficient resources on 1 node)", Explain(next, Plain, big));
    }

    [Fact]
    public void Generic_resources_are_counted_or_named_and_never_given_twice()
    {
        Node node = Plain.With(n =>
        {
            n.Description.Resources.Generic.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "b" } });
            n.Description.Resources.Generic.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "a" } });
            n.Description.Resources.Generic.Add(new GenericResource { DiscreteResourceSpec = new() { Kind = "fpga", Value = 3 } });
        });
        var state = new NodeState(node);
        TaskRequirements asked = TaskRequirements.Of(A.Task("t").Reserving(0, 0, ("gpu", 1), ("fpga", 2)));

        IReadOnlyList<GenericResource> given = state.ChooseGeneric(asked);
        state.Put("t", asked, given);

        Assert.Equal(["gpu=a", "fpga=2"], given.Select(g => g.NamedResourceSpec is { } n ? $"{n.Kind}={n.Value}" : $"{g.DiscreteResourceSpec.Kind}={g.DiscreteResourceSpec.Value}"));
        Assert.Equal(1, state.FreeGeneric("gpu"));
        Assert.Equal(FeasibilityFilters.Resources, Feasibility.FirstFailure(asked, state));
        state.Remove("t");
        Assert.Equal(FeasibilityFilters.None, Feasibility.FirstFailure(asked, state));
        Assert.Equal(FeasibilityFilters.Resources, Check(A.Task("u").Reserving(0, 0, ("tpu", 1)), node));
    }

    [Fact]
    public void Volume_network_and_log_plugins_must_be_there()
    {
        Node node = Plain.With(n =>
        {
            n.Description.Engine.Plugins.Add(new PluginDescription { Type = "Volume", Name = "nfs:latest" });
            n.Description.Engine.Plugins.Add(new PluginDescription { Type = "Network", Name = "overlay" });
        });
        Node withLogs = node.With(n => n.Description.Engine.Plugins.Add(new PluginDescription { Type = "Log", Name = "json-file" }));

        Assert.Equal(FeasibilityFilters.None, Check(WithVolume("nfs"), node));
        Assert.Equal(FeasibilityFilters.None, Check(WithVolume("local"), node));
        Assert.Equal(FeasibilityFilters.Plugins, Check(WithVolume("ceph"), node));
        Assert.Equal(FeasibilityFilters.None, Check(WithNetwork("overlay"), node));
        Assert.Equal(FeasibilityFilters.Plugins, Check(WithNetwork("weave"), node));
        Assert.Equal(FeasibilityFilters.None, Check(WithLog("syslog"), node));
        Assert.Equal(FeasibilityFilters.Plugins, Check(WithLog("syslog"), withLogs));
        Assert.Equal(FeasibilityFilters.None, Check(WithLog("none"), withLogs));
        Assert.Equal("no suitable node (missing plugin on 1 node)", Explain(WithVolume("ceph"), node));

        static SwarmTask WithVolume(string driver) => A.Task("t").With(t => t.Spec.Container.Mounts.Add(
            new Mount { Type = Mount.Types.Type.Volume, VolumeOptions = new() { DriverConfig = new() { Name = driver } } }));
        static SwarmTask WithNetwork(string driver) => A.Task("t").With(t => t.Networks.Add(
            new NetworkAttachment { Network = new() { DriverState = new() { Name = driver } } }));
        static SwarmTask WithLog(string driver) => A.Task("t").With(t => t.Spec.LogDriver = new() { Name = driver });
    }

    [Fact]
    public void Constraints_must_be_met()
    {
        Assert.Equal(FeasibilityFilters.Constraints, Check(A.Task("t").Constrained("node.role==manager"), Plain));
        Assert.Equal(FeasibilityFilters.Constraints, Check(A.Task("t").Constrained("unreadable"), Plain));
        Assert.Equal("no suitable node (scheduling constraints not satisfied on 1 node)", Explain(A.Task("t").Constrained("node.id==x"), Plain));
    }

    [Theory]
    [InlineData("linux", "amd64", true)]
    [InlineData("linux", "x86_64", true)]
    [InlineData("", "amd64", true)]
    [InlineData("linux", "", true)]
    [InlineData("linux", "arm64", false)]
    [InlineData("windows", "amd64", false)]
    public void The_platform_must_be_one_of_the_images(string os, string architecture, bool fits)
    {
        SwarmTask task = A.Task("t").With(t => t.Spec.Placement = new() { Platforms = { new Platform { Os = os, Architecture = architecture } } });

        Assert.Equal(fits ? FeasibilityFilters.None : FeasibilityFilters.Platform, Check(task, Plain));
        if (!fits)
        {
            Assert.Equal("no suitable node (unsupported platform on 1 node)", Explain(task, Plain));
        }
    }

    [Fact]
    public void A_host_port_is_had_once_per_node_and_protocol()
    {
        SwarmTask first = A.Task("a", node: "n1", state: TaskState.Running).Publishing(80, PublishMode.Host);
        SwarmTask same = A.Task("b").Publishing(80, PublishMode.Host);
        SwarmTask udp = same.With(t => t.Endpoint.Ports[0].Protocol = Protocol.Udp);

        Assert.Equal(FeasibilityFilters.HostPorts, Check(same, Plain, first));
        Assert.Equal(FeasibilityFilters.None, Check(udp, Plain, first));
        Assert.Equal("no suitable node (host-mode port already in use on 1 node)", Explain(same, Plain, first));
    }

    [Fact]
    public void Only_active_tasks_of_the_service_count_against_its_most_replicas_per_node()
    {
        SwarmTask limited = A.Task("b").With(t => t.Spec.Placement = new() { MaxReplicas = 1 });
        SwarmTask active = A.Task("a", node: "n1", state: TaskState.Running);

        Assert.Equal(FeasibilityFilters.MaxReplicas, Check(limited, Plain, active));
        Assert.Equal(FeasibilityFilters.None, Check(limited, Plain, active.With(t => t.DesiredState = TaskState.Shutdown)));
        Assert.Equal(FeasibilityFilters.None, Check(limited, Plain, active.With(t => t.ServiceId = "other")));
        Assert.Equal("no suitable node (max replicas per node limit exceed)", Explain(limited, Plain, active));
    }

    [Fact]
    public void An_image_needs_an_engine_and_a_process_needs_its_runtime()
    {
        Node withoutEngine = Plain.With(n => n.Description.Engine.EngineVersion = "");
        Node withoutRuntime = Plain.With(n => n.Description.Engine.Plugins.Clear());
        SwarmTask process = A.Task("t").With(t => t.Spec.Generic = new() { Kind = "process" });

        Assert.Equal(FeasibilityFilters.Engine, Check(A.Task("t"), withoutEngine));
        Assert.Equal(FeasibilityFilters.None, Check(process, withoutEngine));
        Assert.Equal(FeasibilityFilters.Runtime, Check(process, withoutRuntime));
        Assert.Equal("no suitable node (no container engine on 1 node)", Explain(A.Task("t"), withoutEngine));
        Assert.Equal("no suitable node (runtime not available on 1 node)", Explain(process, withoutRuntime));
    }

    [Fact]
    public void Ingress_ports_need_a_Skep_agent()
    {
        Node docker = Plain.With(n => n.Description.Engine.Labels.Clear());

        Assert.Equal(FeasibilityFilters.None, Check(A.Task("t").Publishing(80, PublishMode.Ingress), Plain));
        Assert.Equal(FeasibilityFilters.Ingress, Check(A.Task("t").Publishing(80, PublishMode.Ingress), docker));
        Assert.Equal(FeasibilityFilters.None, Check(A.Task("t").Publishing(80, PublishMode.Host), docker));
    }

    [Fact]
    public void The_explanation_names_each_filter_once_with_most_nodes_first()
    {
        NodeState[] nodes =
        [
            new(A.Node("a").With(n => n.Status.State = NodeStatus.Types.State.Down)),
            new(A.Node("b", memoryBytes: A.GiB)),
            new(A.Node("c", memoryBytes: A.GiB)),
        ];
        TaskRequirements asked = TaskRequirements.Of(A.Task("t").Reserving(memoryBytes: 2 * A.GiB).Constrained("node.id==z"));

        Assert.Equal(
            "no suitable node (insufficient resources on 2 nodes; 1 node not available for new tasks)",
            NoSuitableNode.Of(asked, nodes).ToString());
        Assert.Equal("no suitable node", NoSuitableNode.Of(asked, []).ToString());
    }

    [Fact]
    public void The_report_names_every_failing_filter_with_what_is_asked_and_what_there_is()
    {
        TaskRequirements asked = TaskRequirements.Of(
            A.Task("t").Reserving(memoryBytes: 64 * A.GiB, nanoCpus: 8_500_000_000).Constrained("node.role==manager", "node.labels.zone==a"));

        IReadOnlyList<FeasibilityFailure> failures = FeasibilityReport.Of(asked, new NodeState(Plain));

        Assert.Equal(
            [
                "CPUs: asks 8.5, has 4 free of 4",
                "memory: asks 64 GiB, has 8 GiB free of 8 GiB",
                "constraint node.role==manager: asks node.role==manager, has WORKER",
                "constraint node.labels.zone==a: asks node.labels.zone==a, has none",
            ],
            failures.Select(f => f.ToString()));
        Assert.Equal(64 * A.GiB, failures[1].AskedAmount);
        Assert.Equal(8 * A.GiB, failures[1].AvailableAmount);
    }

    [Fact]
    public void Tasks_may_stay_on_a_paused_node_but_not_where_constraints_or_reservations_broke()
    {
        Node shrunk = A.Node("n1", memoryBytes: 3 * A.GiB).With(n => n.Spec.Availability = NodeSpec.Types.Availability.Pause);
        SwarmTask[] tasks =
        [
            A.Task("a", node: "n1", state: TaskState.Running).Reserving(memoryBytes: 2 * A.GiB),
            A.Task("b", node: "n1", state: TaskState.Running).Reserving(memoryBytes: 2 * A.GiB),
            A.Task("c", node: "n1", state: TaskState.Running).Constrained("node.role==manager"),
            A.Task("d", node: "n1", state: TaskState.Running),
        ];

        Assert.Equal(["b", "c"], Feasibility.NoLongerFitting(shrunk, tasks).Select(t => t.Id));
    }

    private static FeasibilityFilters Check(SwarmTask task, Node node, params SwarmTask[] present) =>
        Feasibility.FirstFailure(TaskRequirements.Of(task), NodeState.Of(node, present));

    private static string Explain(SwarmTask task, Node node, params SwarmTask[] present) =>
        NoSuitableNode.Of(TaskRequirements.Of(task), [NodeState.Of(node, present)]).ToString();
}

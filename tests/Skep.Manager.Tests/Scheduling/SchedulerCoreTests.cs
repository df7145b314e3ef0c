using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Tests.Scheduling;

public sealed class SchedulerCoreTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly SchedulerCore core = new();

    [Fact]
    public void Tasks_go_to_the_nodes_with_fewest_tasks_of_their_service_and_then_fewest_at_all()
    {
        Have(A.Node("a"), A.Node("b"), A.Node("c"));
        Have(A.Task("w1", node: "a", state: TaskState.Running), A.Task("x1", "other", "b", TaskState.Running));

        Have([.. Enumerable.Range(1, 5).Select(i => A.Task("t" + i))]);

        Assert.Equal(["c", "b", "a", "c", "b"], Places(core.Decide(Noon)));
    }

    [Fact]
    public void A_placed_task_is_assigned_with_SwarmKits_words()
    {
        Have(A.Node("a"));
        Have(A.Task("t"));

        SwarmTask written = core.Decide(Noon).Single().Apply(A.Task("t"), new());

        Assert.Equal("a", written.NodeId);
        Assert.Equal(TaskState.Assigned, written.Status.State);
        Assert.Equal("scheduler assigned task to node", written.Status.Message);
        Assert.Empty(core.Decide(Noon));
    }

    [Fact]
    public void A_task_without_place_says_why_once_and_is_placed_when_there_is_room()
    {
        Have(A.Node("a", memoryBytes: A.GiB));
        SwarmTask task = A.Task("t").Reserving(memoryBytes: 2 * A.GiB);
        Have(task);

        Decision waits = core.Decide(Noon).Single();
        Assert.Null(waits.Node);
        Assert.Equal("no suitable node (insufficient resources on 1 node)", waits.Status.Err);
        SwarmTask written = waits.Apply(task, new());
        Assert.Equal(TaskState.Pending, written.Status.State);
        Assert.False(Note(StoreChangeKind.Update, written, task));
        Assert.Empty(core.Decide(Noon));

        Assert.True(Note(StoreChangeKind.Create, A.Node("b")));
        Assert.Equal(["b"], Places(core.Decide(Noon)));
    }

    [Fact]
    public void A_node_where_the_spec_fails_often_is_tried_last_for_five_minutes()
    {
        Have(A.Node("a"), A.Node("b"));
        Have(A.Task("b1", node: "b", state: TaskState.Running), A.Task("b2", node: "b", state: TaskState.Running));
        for (int i = 0; i < FailureLog.Enough; i++)
        {
            SwarmTask running = A.Task("f" + i, node: "a", state: TaskState.Running);
            Note(StoreChangeKind.Create, running);
            Note(StoreChangeKind.Update, running.With(t => t.Status.State = TaskState.Failed), running);
        }

        Have(A.Task("t1"), A.Task("t2", "other"), A.Task("t3").With(t => t.SpecVersion.Index = 2));
        Assert.Equal(["t1 b", "t2 a", "t3 a"], core.Decide(Noon).Select(d => $"{d.Task.Id} {d.Node!.Id}"));

        Have(A.Task("t4"));
        Assert.Equal(["a"], Places(core.Decide(Noon + FailureLog.Window)));
    }

    [Fact]
    public void Spread_preferences_keep_each_level_of_branches_even()
    {
        Have(Labelled("a1", "a", "1"), Labelled("a2", "a", "2"), Labelled("b1", "b", "1"), Labelled("b2", "b", "1"), A.Node("c"));
        Have([.. Enumerable.Range(0, 12).Select(i => A.Task($"t{i:00}").With(t => t.Spec.Placement = new()
        {
            Preferences =
            {
                new PlacementPreference { Spread = new() { SpreadDescriptor = "node.labels.zone" } },
                new PlacementPreference { Spread = new() { SpreadDescriptor = "node.labels.rack" } },
            },
        }))]);

        Assert.Equal(
            ["a1=2", "a2=2", "b1=2", "b2=2", "c=4"],
            Places(core.Decide(Noon)).GroupBy(n => n).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key}={g.Count()}"));

        static Node Labelled(string id, string zone, string rack) => A.Node(id).With(n =>
        {
            n.Spec.Annotations.Labels["zone"] = zone;
            n.Spec.Annotations.Labels["rack"] = rack;
        });
    }

    [Fact]
    public void A_full_branch_gives_its_share_to_the_others()
    {
        Have(
            A.Node("small", memoryBytes: A.GiB).With(n => n.Spec.Annotations.Labels["zone"] = "a"),
            A.Node("big").With(n => n.Spec.Annotations.Labels["zone"] = "b"));
        Have([.. Enumerable.Range(0, 4).Select(i => A.Task($"t{i}").Reserving(memoryBytes: A.GiB).With(t => t.Spec.Placement = new()
        {
            Preferences = { new PlacementPreference { Spread = new() { SpreadDescriptor = "node.labels.zone" } } },
        }))]);

        Assert.Equal(["small", "big", "big", "big"], Places(core.Decide(Noon)));
    }

    [Fact]
    public void A_preassigned_task_is_confirmed_on_its_node_or_says_why_not()
    {
        Have(A.Node("a"), A.Node("b", memoryBytes: 0));
        SwarmTask fits = A.Task("t1", node: "a").Reserving(memoryBytes: A.GiB);
        SwarmTask waits = A.Task("t2", node: "b").Reserving(memoryBytes: A.GiB);
        Have(fits, waits, A.Task("t3", node: "unknown"));

        List<Decision> decisions = core.Decide(Noon);

        Assert.Equal(2, decisions.Count);
        Assert.Equal("scheduler confirmed task can run on preassigned node", decisions[0].Status.Message);
        Assert.Equal("a", decisions[0].Node!.Id);
        Assert.Equal("insufficient resources on 1 node", decisions[1].Status.Err);
        Assert.Equal(7 * A.GiB, core.Fleet[core.Fleet.NumberOf("a")].FreeMemoryBytes);
    }

    [Fact]
    public void A_task_that_is_no_longer_wanted_is_shut_down_and_not_placed()
    {
        Have(A.Node("a"));
        Have(
            A.Task("t1").With(t => t.DesiredState = TaskState.Shutdown),
            A.Task("t2", node: "a").With(t => t.DesiredState = TaskState.Shutdown),
            A.Task("t3").With(t => t.DesiredState = TaskState.Remove));

        List<Decision> decisions = core.Decide(Noon);

        Assert.Equal(["t2 Shutdown", "t1 Shutdown"], decisions.Select(d => $"{d.Task.Id} {d.Status.State}"));
        Assert.Empty(core.Decide(Noon));
    }

    [Fact]
    public void A_task_that_ended_or_a_limit_that_no_longer_counts_makes_the_waiting_ones_worth_another_look()
    {
        Have(A.Node("a"));
        SwarmTask first = A.Task("t1", node: "a", state: TaskState.Running);
        SwarmTask limited = A.Task("t2").With(t => t.Spec.Placement = new() { MaxReplicas = 1 });
        Have(first, limited);
        Assert.Equal("no suitable node (max replicas per node limit exceed)", core.Decide(Noon).Single().Status.Err);

        Assert.False(Note(StoreChangeKind.Update, first.With(t => t.Status.Message = "started"), first));
        Assert.True(Note(StoreChangeKind.Update, first.With(t => t.DesiredState = TaskState.Shutdown), first));
        Assert.Equal(["a"], Places(core.Decide(Noon)));
    }

    [Fact]
    public void Generic_resources_given_are_recorded_in_the_task()
    {
        Have(A.Node("a").With(n => n.Description.Resources.Generic.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "GPU-7" } })));
        SwarmTask first = A.Task("t1").Reserving(0, 0, ("gpu", 1));
        Have(first, A.Task("t2").Reserving(0, 0, ("gpu", 1)));

        List<Decision> decisions = core.Decide(Noon);

        Assert.Equal("GPU-7", decisions[0].Apply(first, new()).AssignedGenericResources.Single().NamedResourceSpec.Value);
        Assert.Equal("no suitable node (insufficient resources on 1 node)", decisions[1].Status.Err);
    }

    [Fact]
    public void A_task_seen_before_its_node_counts_once_the_node_is_seen()
    {
        Have(A.Task("t1", node: "a", state: TaskState.Running).Reserving(memoryBytes: 6 * A.GiB));
        Have(A.Node("a"));
        Have(A.Task("t2").Reserving(memoryBytes: 4 * A.GiB));

        Assert.Equal("no suitable node (insufficient resources on 1 node)", core.Decide(Noon).Single().Status.Err);
    }

    private static IEnumerable<string> Places(IEnumerable<Decision> decisions) => decisions.Select(d => d.Node!.Id);

    private void Have(params Skep.Api.IStoreObject[] objects)
    {
        foreach (Skep.Api.IStoreObject o in objects)
        {
            Note(StoreChangeKind.Create, o);
        }
    }

    private bool Note(StoreChangeKind kind, Skep.Api.IStoreObject o, Skep.Api.IStoreObject? old = null) => core.Note(new(kind, o, old), Noon);
}

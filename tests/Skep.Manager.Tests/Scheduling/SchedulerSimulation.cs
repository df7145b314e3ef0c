using CsCheck;
using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;
using Skep.Store;
using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Tests.Scheduling;

/// <summary>Random clusters live through random changes; after every round what was decided is held against brute force.</summary>
public sealed class SchedulerSimulation
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nothing_is_ever_over_committed_and_only_tasks_with_no_room_wait() =>
        Gen.Int[0, int.MaxValue].Sample(seed => new World(seed).Live(rounds: 12), iter: 150);

    [Fact]
    public void Tasks_alike_on_nodes_alike_differ_by_at_most_one() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 100]).Sample((nodes, tasks) =>
        {
            var core = new SchedulerCore();
            for (int i = 0; i < nodes; i++)
            {
                core.Note(new(StoreChangeKind.Create, A.Node("n" + i), null), Start);
            }
            for (int i = 0; i < tasks; i++)
            {
                core.Note(new(StoreChangeKind.Create, A.Task("t" + i, "s" + (i % 3)), null), Start);
            }
            List<Decision> decisions = core.Decide(Start);
            Assert.Equal(tasks, decisions.Count);
            foreach (IGrouping<string, Decision> service in decisions.GroupBy(d => d.Task.ServiceId))
            {
                int[] counts = [.. Enumerable.Range(0, nodes).Select(n => service.Count(d => d.Node!.Id == "n" + n))];
                Assert.True(counts.Max() - counts.Min() <= 1, $"{service.Key} is uneven: {string.Join(' ', counts)}");
            }
            int[] all = [.. Enumerable.Range(0, nodes).Select(n => decisions.Count(d => d.Node!.Id == "n" + n))];
            Assert.True(all.Max() - all.Min() <= 1, $"nodes are uneven: {string.Join(' ', all)}");
        });

    private sealed class World(int seed)
    {
        private readonly Random random = new(seed);
        private readonly SchedulerCore core = new();
        private readonly Dictionary<string, Node> nodes = [];
        private readonly Dictionary<string, SwarmTask> tasks = [];
        private int names;

        public void Live(int rounds)
        {
            for (int round = 0; round < rounds; round++)
            {
                for (int i = random.Next(1, 25); i > 0; i--)
                {
                    Change();
                }
                DateTimeOffset now = Start.AddMinutes(round);
                foreach (Decision decision in core.Decide(now))
                {
                    // Now and then a write is lost, as when the task changed meanwhile.
                    if (random.Next(10) == 0)
                    {
                        core.TakeBack(decision);
                        continue;
                    }
                    SwarmTask old = tasks[decision.Task.Id];
                    SwarmTask written = decision.Apply(old, new());
                    tasks[old.Id] = written;
                    core.Note(new(StoreChangeKind.Update, written, old), now);
                }
                foreach (Decision decision in core.Decide(now))
                {
                    SwarmTask old = tasks[decision.Task.Id];
                    tasks[old.Id] = decision.Apply(old, new());
                    core.Note(new(StoreChangeKind.Update, tasks[old.Id], old), now);
                }
                Judge(round);
            }
        }

        private void Change()
        {
            switch (random.Next(12))
            {
                case 0 or 1:
                    Put(RandomNode("n" + names++));
                    break;
                case 2 when nodes.Count > 0:
                    Put(RandomNode(Any(nodes)));
                    break;
                case 3 when nodes.Count > 2:
                    Remove(Any(nodes));
                    break;
                case 4 or 5 when tasks.Count > 0:
                    Put(tasks[Any(tasks)].With(Advance));
                    break;
                case 6 when tasks.Count > 0:
                    string id = Any(tasks);
                    tasks.Remove(id, out SwarmTask? gone);
                    core.Note(new(StoreChangeKind.Remove, gone!, null), Start);
                    break;
                default:
                    Put(RandomTask("t" + names++));
                    break;
            }
        }

        private void Remove(string nodeId)
        {
            nodes.Remove(nodeId, out Node? node);
            core.Note(new(StoreChangeKind.Remove, node!, null), Start);
            foreach (SwarmTask task in tasks.Values.Where(t => t.NodeId == nodeId).ToList())
            {
                Put(task.With(t => (t.Status.State, t.DesiredState) = (TaskState.Orphaned, TaskState.Shutdown)));
            }
        }

        private void Advance(SwarmTask task)
        {
            if (task.NodeId.Length > 0 && task.Status.State >= TaskState.Assigned)
            {
                task.Status.State = random.Next(3) == 0 ? TaskState.Failed : (TaskState)Math.Max((int)task.Status.State, (int)TaskState.Running);
            }
            if (random.Next(2) == 0 || task.Status.State > TaskState.Running)
            {
                task.DesiredState = TaskState.Shutdown;
            }
        }

        private Node RandomNode(string id) => A.Node(id, random.Next(5) * A.GiB, random.Next(5) * 1_000_000_000L).With(n =>
        {
            // A node never shrinks below what it has given away, so that over-commitment is always the scheduler's fault.
            NodeState used = State(n);
            n.Description.Resources.MemoryBytes += Math.Max(0, -used.FreeMemoryBytes);
            n.Description.Resources.NanoCpus += Math.Max(0, -used.FreeNanoCpus);
            for (int i = 0; i < 3; i++)
            {
                n.Description.Resources.Generic.Add(new GenericResource { NamedResourceSpec = new() { Kind = "gpu", Value = "g" + i } });
            }
            n.Spec.Annotations.Labels["zone"] = "z" + random.Next(3);
            n.Status.State = random.Next(8) == 0 ? NodeStatus.Types.State.Down : NodeStatus.Types.State.Ready;
            n.Role = (NodeRole)random.Next(2);
            if (random.Next(6) == 0)
            {
                n.Description.Engine.EngineVersion = "";
            }
        });

        private SwarmTask RandomTask(string id)
        {
            // Tasks of a service ask the same.
            int kind = random.Next(8);
            SwarmTask task = A.Task(id, "s" + kind);
            task = kind % 2 == 0 ? task.Reserving(A.GiB * (kind / 2), 500_000_000L * kind) : task;
            task = kind == 3 ? task.Constrained("node.labels.zone!=z1") : task;
            task = kind == 4 ? task.Reserving(0, 0, ("gpu", 2)) : task;
            task = kind == 5 ? task.Publishing(80, PublishMode.Host) : task;
            task = kind == 7 ? task.With(t => t.Spec.Placement = new() { MaxReplicas = 2, Preferences = { new PlacementPreference { Spread = new() { SpreadDescriptor = "node.labels.zone" } } } }) : task;
            if (random.Next(10) == 0 && nodes.Count > 0)
            {
                task.NodeId = Any(nodes);
            }
            return task;
        }

        private void Judge(int round)
        {
            string at = $"seed {seed} round {round}";
            foreach (Node node in nodes.Values)
            {
                List<SwarmTask> here = [.. tasks.Values.Where(t => t.NodeId == node.Id && NodeState.Holds(t))];
                NodeState fresh = State(node);
                NodeState known = core.Fleet[core.Fleet.NumberOf(node.Id)];
                Assert.True(fresh.FreeMemoryBytes >= 0 && fresh.FreeNanoCpus >= 0, $"{at}: {node.Id} is over-committed");
                Assert.Equal((fresh.FreeMemoryBytes, fresh.FreeNanoCpus, fresh.ActiveTasks, fresh.FreeGeneric("gpu")), (known.FreeMemoryBytes, known.FreeNanoCpus, known.ActiveTasks, known.FreeGeneric("gpu")));
                string[] gpus = [.. here.SelectMany(t => t.AssignedGenericResources).Select(g => g.NamedResourceSpec.Value)];
                Assert.True(gpus.Length == gpus.Distinct().Count(), $"{at}: a gpu of {node.Id} was given twice");
                Assert.True(here.Count(t => t.ServiceId == "s5") <= 1, $"{at}: port 80 of {node.Id} was given twice");
                Assert.True(fresh.ActiveTasksOf("s7") <= 2, $"{at}: {node.Id} has too many of s7");
            }
            foreach (SwarmTask task in tasks.Values.Where(t => t.Status.State == TaskState.Pending && t.DesiredState == TaskState.Running))
            {
                TaskRequirements asked = TaskRequirements.Of(task);
                IEnumerable<Node> may = task.NodeId.Length == 0 ? nodes.Values : nodes.Values.Where(n => n.Id == task.NodeId);
                Node? room = may.FirstOrDefault(n => Feasibility.Fits(asked, State(n)));
                Assert.True(room is null, $"{at}: {task.Id} of {task.ServiceId} waits though {room?.Id} has room");
                Assert.True(task.Status.Err.Length > 0 || task.NodeId.Length > 0, $"{at}: {task.Id} waits without a reason");
            }
        }

        private NodeState State(Node node) => NodeState.Of(node, tasks.Values.Where(t => t.NodeId == node.Id));

        private string Any<T>(Dictionary<string, T> from) => from.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(from.Count));

        private void Put(Node node)
        {
            bool known = nodes.TryGetValue(node.Id, out Node? old);
            nodes[node.Id] = node;
            core.Note(new(known ? StoreChangeKind.Update : StoreChangeKind.Create, node, old), Start);
        }

        private void Put(SwarmTask task)
        {
            bool known = tasks.TryGetValue(task.Id, out SwarmTask? old);
            tasks[task.Id] = task;
            core.Note(new(known ? StoreChangeKind.Update : StoreChangeKind.Create, task, old), Start);
        }
    }
}

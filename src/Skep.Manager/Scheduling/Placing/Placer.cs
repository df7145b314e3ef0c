using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>A task and the node it goes to.</summary>
internal readonly record struct Placed(SwarmTask Task, int Number, IReadOnlyList<GenericResource> Given);

/// <summary>
/// Places tasks that ask the same. Each goes to the feasible node with the fewest active tasks of its service, then the fewest
/// at all; nodes where its spec fails come last; before all that, spread preferences keep their branches even. Pure.
/// </summary>
internal sealed class Placer(Fleet fleet, FailureLog failures)
{
    private ulong[] scores = [];

    /// <summary>Places as many of the tasks as there is room for, from the first on.</summary>
    /// <returns>How many were placed.</returns>
    public int Place(TaskRequirements asked, IReadOnlyList<SwarmTask> tasks, DateTimeOffset now, List<Placed> placed)
    {
        if (tasks.Count == 0)
        {
            return 0;
        }
        Score(asked, SpecKey.Of(tasks[0]), now);
        if (tasks.Count == 1 && asked.SpreadKeys.Count == 0)
        {
            int best = Best(asked);
            if (best >= 0)
            {
                placed.Add(new(tasks[0], best, fleet.Place(tasks[0].Id, asked, best)));
            }
            return best >= 0 ? 1 : 0;
        }
        Branch root = asked.SpreadKeys.Count == 0 ? Leaf(asked) : Tree(asked);
        for (int i = 0; i < tasks.Count; i++)
        {
            int number = root.Take();
            if (number < 0)
            {
                return i;
            }
            placed.Add(new(tasks[i], number, fleet.Place(tasks[i].Id, asked, number)));
            root.Return(Rescore(number, asked.ServiceId), Feasibility.Fits(asked, fleet[number], FeasibilityFilters.Usage));
        }
        return tasks.Count;
    }

    // For one task a walk over the scores is enough; only nodes that would be better than the best so far are looked at.
    private int Best(TaskRequirements asked)
    {
        ReadOnlySpan<bool> nodeOnly = fleet.NodeOnly(asked);
        ulong least = ulong.MaxValue;
        int best = -1;
        for (int i = 0; i < nodeOnly.Length; i++)
        {
            if (scores[i] < least && nodeOnly[i] && Feasibility.Fits(asked, fleet[i], FeasibilityFilters.Usage))
            {
                (least, best) = (scores[i], i);
            }
        }
        return best;
    }

    private NodeBranch Leaf(TaskRequirements asked)
    {
        ReadOnlySpan<bool> nodeOnly = fleet.NodeOnly(asked);
        var leaf = new NodeBranch(nodeOnly.Length);
        for (int i = 0; i < nodeOnly.Length; i++)
        {
            if (nodeOnly[i] && Feasibility.Fits(asked, fleet[i], FeasibilityFilters.Usage))
            {
                leaf.Add(i, scores[i]);
            }
        }
        leaf.Seal();
        return leaf;
    }

    // A branch's tasks are those of all its nodes, feasible or not, so that what runs there already counts.
    private SpreadBranch Tree(TaskRequirements asked)
    {
        string[] keys = [.. asked.SpreadKeys];
        var root = new SpreadBranch();
        ReadOnlySpan<bool> nodeOnly = fleet.NodeOnly(asked);
        for (int i = 0; i < nodeOnly.Length; i++)
        {
            int tasks = NodeScore.ServiceTasks(scores[i]);
            bool fits = nodeOnly[i] && Feasibility.Fits(asked, fleet[i], FeasibilityFilters.Usage);
            if (!fits && tasks == 0)
            {
                continue;
            }
            SpreadBranch at = root;
            for (int level = 0; level < keys.Length; level++)
            {
                // Where a node lacks the property it is in the branch of the empty value.
                string value = ConstraintMatching.ValueOf(keys[level], fleet[i].Node) ?? "";
                at.Tasks += tasks;
                if (level == keys.Length - 1)
                {
                    NodeBranch leaf = at.Child(value, static () => new NodeBranch(4));
                    leaf.Tasks += tasks;
                    if (fits)
                    {
                        leaf.Add(i, scores[i]);
                    }
                }
                else
                {
                    at = at.Child(value, static () => new SpreadBranch());
                }
            }
        }
        root.Seal();
        return root;
    }

    private void Score(TaskRequirements asked, SpecKey spec, DateTimeOffset now)
    {
        ReadOnlySpan<int> active = fleet.ActiveTasks;
        if (scores.Length < active.Length)
        {
            scores = new ulong[Math.Max(active.Length, scores.Length * 2)];
        }
        for (int i = 0; i < active.Length; i++)
        {
            scores[i] = NodeScore.Of(0, 0, active[i], i);
        }
        foreach (int number in fleet.NodesOf(asked.ServiceId))
        {
            Rescore(number, asked.ServiceId);
        }
        foreach ((string nodeId, int count) in failures.Of(spec, now))
        {
            int number = fleet.NumberOf(nodeId);
            if (number >= 0)
            {
                scores[number] = NodeScore.WithFailures(scores[number], count);
            }
        }
    }

    private ulong Rescore(int number, string serviceId)
    {
        NodeState node = fleet[number];
        ulong failuresStay = scores[number];
        return scores[number] = NodeScore.WithFailures(
            NodeScore.Of(0, node.ActiveTasksOf(serviceId), node.ActiveTasks, number),
            NodeScore.Failures(failuresStay));
    }
}

using Docker.Swarmkit.V1;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

/// <summary>
/// Storms over the little manager: services are created, scaled, updated, rolled back and removed, tasks fail, nodes are
/// drained, lost and come back, leaders change; at every moment what must hold holds, and when the storm is over all comes to
/// rest. A seed that fails prints itself and gives the same storm again.
/// </summary>
public sealed class SimulationTests
{
    private static readonly int Seeds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 250 : 10;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_happens_the_promises_hold_and_all_comes_to_rest(int block)
    {
        for (int seed = block * Seeds; seed < (block + 1) * Seeds; seed++)
        {
            try
            {
                Storm(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_storm() => Assert.Equal(Storm(7), Storm(7));

    private static string Storm(int seed)
    {
        var manager = new LittleManager(nodes: 4, seed);
        Random random = manager.Random;
        var promises = new Promises(manager);
        double trouble = random.NextDouble() * 0.3;
        manager.FateOf = task => FateOf(task, seed, trouble);
        manager.StopsFor = TimeSpan.FromSeconds(random.NextDouble() * 6);
        manager.PreparesFor = TimeSpan.FromSeconds(random.NextDouble() * 2);
        string[] services = ["red", "green", "blue"];
        for (int i = 0; i < 40; i++)
        {
            Happen(manager, random, services);
            manager.Run(random.NextDouble() * 6);
        }

        // The storm is over: everything is mended, and every service gets a spec that works.
        manager.FateOf = static task => task.JobIteration is null ? Fate.Runs : Fate.CompletesAfter(1);
        foreach (Node node in manager.Store.Read(static v => v.List<Node>().ToList()))
        {
            manager.Change(node.Id, static n =>
            {
                n.Spec.Availability = NodeSpec.Types.Availability.Active;
                n.Status.State = NodeStatus.Types.State.Ready;
                n.Spec.Annotations.Labels["zone"] = "a";
            });
        }
        foreach (string id in services.Where(id => manager.Service(id) is not null))
        {
            manager.Update(static s => s.Task.Container.Image = "final", id);
        }
        manager.Run(300);
        promises.CheckRest();
        return manager.Describe();
    }

    private static void Happen(LittleManager manager, Random random, string[] services)
    {
        ref string id = ref services[random.Next(services.Length)];
        string node = $"n{random.Next(1, 5)}";
        bool exists = manager.Service(id) is not null;
        switch (random.Next(12))
        {
            case 0 when exists && random.Next(3) == 0:
                manager.Remove(id);
                // Another service of that name will have another id.
                id += "'";
                break;
            case 0 or 1 or 2 when !exists:
                manager.Create(s => NewSpec(s, random), id);
                break;
            case 1 or 2 or 3 when exists:
                manager.Update(s => s.Task.Container.Image = $"image:{random.Next(1000)}", id);
                break;
            case 4 or 5 when exists && manager.Service(id).Spec.Replicated is not null:
                manager.Update(s => s.Replicated.Replicas = (ulong)random.Next(8), id);
                break;
            case 6 when exists && manager.Service(id).PreviousSpec is not null:
                manager.RollBack(id);
                break;
            case 7:
                manager.Set(node, (NodeSpec.Types.Availability)random.Next(3));
                break;
            case 8:
                manager.Set(node, random.Next(3) == 0 ? NodeStatus.Types.State.Down : NodeStatus.Types.State.Ready);
                break;
            case 9:
                manager.StartManager();
                break;
            case 10 when exists:
                manager.Update(s => s.Update = NewConfig(random), id);
                break;
            case 11:
                manager.Change(node, n => n.Spec.Annotations.Labels["zone"] = random.Next(2) == 0 ? "a" : "b");
                break;
        }
    }

    private static void NewSpec(ServiceSpec spec, Random random)
    {
        switch (random.Next(8))
        {
            case 0 or 1:
                spec.Global = new();
                break;
            case 2:
                spec.ReplicatedJob = new() { TotalCompletions = (ulong)random.Next(6), MaxConcurrent = (ulong)random.Next(4) };
                break;
            case 3:
                spec.GlobalJob = new();
                break;
            default:
                spec.Replicated = new() { Replicas = (ulong)random.Next(8) };
                break;
        }
        if (random.Next(4) == 0)
        {
            spec.Task.Placement = new() { Constraints = { "node.labels.zone!=b" } };
        }
        spec.Task.Restart = new()
        {
            Condition = random.Next(4) == 0 ? RestartPolicy.Types.RestartCondition.OnFailure : RestartPolicy.Types.RestartCondition.Any,
            Delay = LittleManager.Seconds(random.Next(3)),
        };
        spec.Update = NewConfig(random);
        spec.Rollback = NewConfig(random);
    }

    private static UpdateConfig NewConfig(Random random) => new()
    {
        Parallelism = (ulong)random.Next(4),
        Delay = LittleManager.Seconds(random.Next(3)),
        Monitor = LittleManager.Seconds(random.Next(6)),
        FailureAction = (UpdateConfig.Types.FailureAction)random.Next(3),
        MaxFailureRatio = random.Next(2) * 0.3f,
        Order = (UpdateConfig.Types.UpdateOrder)random.Next(2),
    };

    // Chance, but the same for a task every time it is asked.
    private static Fate FateOf(SwarmTask task, int seed, double trouble)
    {
        var random = new Random(HashCode(task.Id) ^ seed);
        double draw = random.NextDouble();
        return draw < trouble / 3 ? Fate.Rejected
            : draw < trouble * 2 / 3 ? Fate.FailsAfter(random.NextDouble() * 20)
            : draw < trouble ? Fate.CompletesAfter(random.NextDouble() * 20)
            : Fate.Runs;
    }

    private static int HashCode(string text)
    {
        int hash = 17;
        foreach (char c in text)
        {
            hash = unchecked((hash * 31) + c);
        }
        return hash;
    }
}

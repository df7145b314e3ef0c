using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;
using Skep.TestEngine;

namespace Skep.Acceptance.Peers;

public sealed class Docker_Engine_as_worker
{
    [Fact]
    public async Task It_joins_runs_tasks_outlives_a_restart_of_the_manager_and_leaves()
    {
        Assert.SkipWhen(DockerEngine.WhyNot is not null, DockerEngine.WhyNot ?? "");
        Programs.Need();
        using NetworkNamespace network = NetworkNamespace.Create();
        await using DockerEngine engine = await DockerEngine.StartAsync(network.Wrapper);
        await using var c = new SkepCluster(network.Outside);
        await c.FoundAsync();

        (await DockerAsync(engine, "swarm", "join", "--token", await c.WorkerTokenAsync(), c.Address)).Ok.ToString();
        await c.ReadyAsync(2);
        Node node = (await c.NodesAsync()).Single(n => n.Description.Hostname != "node-1");
        Assert.StartsWith("20.", node.Description.Engine.EngineVersion, StringComparison.Ordinal);
        Assert.Contains(node.Id, await c.OkAsync("node", "ls"), StringComparison.Ordinal);

        await c.OkAsync("service", "create", "--name", "box", "--image", "busybox:latest", "--command", "sleep", "--args", "100000", "--constraint", "node.id==" + node.Id);
        SwarmTask task = (await c.RunsAsync("box", 1)).Single();
        Assert.Equal(node.Id, task.NodeId);
        Assert.Equal(task.Status.Container.ContainerId, Assert.Single(await engine.ContainersAsync()).GetProperty("Id").GetString());

        await c.Manager.KillAsync();
        c.Manager.Start();
        await c.AnswersAsync();
        await c.ReadyAsync(2);
        await c.OkAsync("service", "update", "box", "--replicas", "2");
        Assert.Contains(await c.RunsAsync("box", 2), t => t.Id == task.Id);
        Assert.Equal(2, (await engine.ContainersAsync()).Count);

        (await DockerAsync(engine, "swarm", "leave")).Ok.ToString();
        await Wait.Until("the engine that left is DOWN", async () => (await c.NodesAsync()).Single(n => n.Id == node.Id).Status.State == NodeStatus.Types.State.Down, c.LogsAsync);
        await c.OkAsync("node", "remove", node.Id);
        Assert.DoesNotContain(node.Id, await c.OkAsync("node", "ls"), StringComparison.Ordinal);
    }

    internal static Task<Said> DockerAsync(DockerEngine engine, params string[] arguments) => Shell.RunAsync("docker", ["-H", "unix://" + engine.Socket, .. arguments]);
}

using Docker.Swarmkit.V1;
using Skep.Agent.Executors;
using Skep.Agent.Tests.Support;

namespace Skep.Agent.Tests.Executors;

public sealed class CompositeRoutingTests
{
    private static readonly SwarmTask Image = new() { Id = "t", Spec = new TaskSpec { Container = new ContainerSpec { Image = "x" } } };

    [Fact]
    public async Task What_does_not_answer_is_left_out_of_the_description()
    {
        var there = new FakeExecutor { Description = new NodeDescription { Engine = new EngineDescription { Plugins = { new PluginDescription { Type = "Runtime", Name = "process" } } } } };
        await using var composite = new CompositeExecutor([new Absent(), there]);
        var description = await composite.DescribeAsync(CancellationToken.None);
        Assert.Empty(description.Engine.EngineVersion);
        Assert.Equal("process", Assert.Single(description.Engine.Plugins).Name);
    }

    [Fact]
    public async Task A_task_goes_to_the_executor_of_its_runtime()
    {
        var (other, right) = (new Absent(), new FakeExecutor());
        await using var composite = new CompositeExecutor([other, right]);
        Assert.Same(right.Controllers.GetValueOrDefault("t") ?? composite.CreateController(Image, null!), right.Controllers["t"]);
    }

    [Fact]
    public async Task A_task_of_no_executors_runtime_is_refused_with_the_reason()
    {
        await using var composite = new CompositeExecutor([]);
        Assert.Equal(
            "this node has no container engine to run an image with",
            Assert.Throws<TaskRejectedException>(() => composite.CreateController(Image, null!)).Message);
    }

    [Fact]
    public async Task Leftovers_are_looked_for_everywhere_and_again_where_it_failed()
    {
        var there = new FakeExecutor();
        await using var composite = new CompositeExecutor([new Absent(), there]);
        await Assert.ThrowsAsync<TaskTemporaryException>(() => composite.RemoveOrphansAsync(new HashSet<string> { "t" }, CancellationToken.None));
        Assert.Equal(["t"], there.Known!);
    }

    private sealed class Absent : IExecutor
    {
        public bool Handles(SwarmTask task) => false;

        public Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken) => throw new TaskTemporaryException("away");

        public Task ConfigureAsync(Node node, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken) => throw new TaskTemporaryException("away");

        public IController CreateController(SwarmTask task, ITaskDependencies dependencies) => throw new TaskRejectedException("not this one's");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

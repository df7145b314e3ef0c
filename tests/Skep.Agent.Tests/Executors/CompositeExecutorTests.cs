using Docker.Swarmkit.V1;
using Skep.Agent.Executors;

namespace Skep.Agent.Tests.Executors;

public sealed class CompositeExecutorTests
{
    [Fact]
    public async Task An_executor_that_has_looked_for_leftovers_is_not_asked_again_because_another_cannot()
    {
        var engine = new FakeExecutor { Failure = new TaskTemporaryException("the engine does not answer") };
        var processes = new FakeExecutor();
        await using var both = new CompositeExecutor([engine, processes]);
        await Assert.ThrowsAsync<TaskTemporaryException>(() => both.RemoveOrphansAsync(new HashSet<string>(), CancellationToken.None));
        await Assert.ThrowsAsync<TaskTemporaryException>(() => both.RemoveOrphansAsync(new HashSet<string>(), CancellationToken.None));
        engine.Failure = null;
        await both.RemoveOrphansAsync(new HashSet<string>(), CancellationToken.None);
        Assert.Equal((3, 1), (engine.Asked, processes.Asked));
    }

    [Fact]
    public async Task One_that_fails_for_good_does_not_keep_the_others_from_looking()
    {
        var engine = new FakeExecutor { Failure = new InvalidOperationException("what is this?") };
        var processes = new FakeExecutor();
        await using var both = new CompositeExecutor([engine, processes]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => both.RemoveOrphansAsync(new HashSet<string>(), CancellationToken.None));
        Assert.Equal(1, processes.Asked);
    }

    private sealed class FakeExecutor : IExecutor
    {
        public Exception? Failure { get; set; }

        public int Asked { get; private set; }

        public bool Handles(SwarmTask task) => false;

        public Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult(new NodeDescription());

        public Task ConfigureAsync(Node node, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
        {
            Asked++;
            return Failure is { } failure ? Task.FromException(failure) : Task.CompletedTask;
        }

        public IController CreateController(SwarmTask task, ITaskDependencies dependencies) => throw new TaskRejectedException("none here");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

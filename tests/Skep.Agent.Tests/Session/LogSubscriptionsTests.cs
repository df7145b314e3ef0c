using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Session;
using Skep.Agent.Tasks;

namespace Skep.Agent.Tests.Session;

public sealed class LogSubscriptionsTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-logs-").FullName;
    private readonly CancellationTokenSource _ending = new();
    private Worker _worker = null!;
    private TaskStore _store = null!;

    public ValueTask InitializeAsync()
    {
        _store = TaskStore.Open(Path.Combine(_folder, "worker"), NullLogger.Instance);
        _worker = new Worker(_store, new CompositeExecutor([]), new StatusReports(), () => null, TimeProvider.System, NullLogger.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _store.DisposeAsync();
        _ending.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_node_without_logs_says_goodbye_and_lets_go_of_its_call_only_once_that_is_answered()
    {
        var broker = new FakeBroker(new SubscriptionMessage { Id = "s", Selector = new LogSelector { ServiceIds = { "web" } } });
        Task running = new LogSubscriptions(broker, "manager", _worker, NullLogger.Instance).RunAsync(_ending.Token);

        await broker.SaidAll.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(Assert.Single(broker.Said) is { Close: true, SubscriptionId: "s" });

        // Whatever follows the last word on the agent's side has run by now: the word's completion ran it.
        Assert.False(broker.LetGo.Task.IsCompleted, "the call was let go of before the broker had answered");
        broker.Answer.SetResult(new PublishLogsResponse());
        await broker.LetGo.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

        await _ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private sealed class FakeBroker(SubscriptionMessage subscription) : LogBroker.LogBrokerClient, IClientStreamWriter<PublishLogsMessage>
    {
        public List<PublishLogsMessage> Said { get; } = [];

        public TaskCompletionSource SaidAll { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<PublishLogsResponse> Answer { get; } = new();

        public TaskCompletionSource LetGo { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public WriteOptions? WriteOptions { get; set; }

        public override AsyncServerStreamingCall<SubscriptionMessage> ListenSubscriptions(
            ListenSubscriptionsRequest request, Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default) =>
            new(new OneMessage(subscription), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

        public override AsyncClientStreamingCall<PublishLogsMessage, PublishLogsResponse> PublishLogs(
            Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default) =>
            new(this, Answer.Task, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => LetGo.TrySetResult());

        public Task WriteAsync(PublishLogsMessage message)
        {
            Said.Add(message);
            return Task.CompletedTask;
        }

        public Task WriteAsync(PublishLogsMessage message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task CompleteAsync()
        {
            // The agent goes on inline, on a thread that holds nobody up; then the test is told.
            var done = new TaskCompletionSource();
            _ = Task.Run(() =>
            {
                done.SetResult();
                SaidAll.SetResult();
            });
            return done.Task;
        }
    }

    private sealed class OneMessage(SubscriptionMessage message) : IAsyncStreamReader<SubscriptionMessage>
    {
        private bool _read;

        public SubscriptionMessage Current => message;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (_read)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return _read = true;
        }
    }
}

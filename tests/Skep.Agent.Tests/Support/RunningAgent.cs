using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Session;
using Skep.Identity.Files;

namespace Skep.Agent.Tests.Support;

/// <summary>An agent at a manager of the test's own.</summary>
internal sealed class RunningAgent : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public RunningAgent(FakeManager manager, TimeProvider? time = null, string? folder = null, FakeExecutor? executor = null, Remotes? remotes = null)
    {
        Executor = executor ?? new FakeExecutor();
        Folder = folder ?? Directory.CreateTempSubdirectory("skep-agent-").FullName;
        Remotes = remotes ?? new Remotes([manager.Known], new Random(1), Saved.Add);
        Agent = new NodeAgent(
            new AgentOptions
            {
                Folder = Folder,
                Remotes = Remotes,
                OpenChannel = FakeManager.Open,
                TlsInfo = () => TlsInfo,
                Hostname = "box",
                OnNodeChanged = (changes, _) =>
                {
                    Changes.Add(changes);
                    return Task.CompletedTask;
                },
                GenericResources = [new GenericResource { DiscreteResourceSpec = new() { Kind = "ssd", Value = 2 } }],
                Time = time ?? TimeProvider.System,
                Random = new Random(1),
            },
            Executor,
            NullLogger<NodeAgent>.Instance);
        _running = Agent.RunAsync(_stopping.Token);
    }

    public FakeExecutor Executor { get; }

    public string Folder { get; }

    public Remotes Remotes { get; }

    public NodeAgent Agent { get; }

    public NodeTLSInfo TlsInfo { get; set; } = new() { TrustRoot = ByteString.CopyFromUtf8("root") };

    public Watched<NodeChanges> Changes { get; } = new("a change of the node");

    public Watched<IReadOnlyList<KnownManager>> Saved { get; } = new("a saved list");

    /// <summary>Ends when the agent does.</summary>
    public Task Ended => _running;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(FakeManager.Patience);
        _stopping.Dispose();
    }
}

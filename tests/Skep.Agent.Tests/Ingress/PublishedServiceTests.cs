using System.Net;
using System.Net.Sockets;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Session;
using Skep.Agent.Tests.Executors.Docker;
using Skep.Agent.Tests.Support;

namespace Skep.Agent.Tests.Ingress;

/// <summary>A port in ingress mode, from the assignment to a container's answer.</summary>
public sealed class PublishedServiceTests(EngineFixture fixture)
{
    [Fact]
    public async Task A_published_port_answers_on_this_machine_for_as_long_as_the_task_is_to_run()
    {
        var engine = await fixture.GetAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var run = new DockerRun(engine);
        manager.Messages.Writer.TryWrite(new SessionMessage { SessionId = "s" });
        var port = FreePort();
        var task = DockerRun.Shell("while :; do echo hello | nc -l -p 8080; done", t => t.Endpoint = new Endpoint
        {
            Ports = { new PortConfig { PublishedPort = (uint)port, TargetPort = 8080, PublishMode = PortConfig.Types.PublishMode.Ingress } },
        });
        manager.Assign(AssignmentsMessage.Types.Type.Complete, "", "1", FakeManager.Give(task));
        var agent = new NodeAgent(
            new AgentOptions
            {
                Folder = Path.Combine(run.StateDirectory, "worker"),
                Remotes = new Remotes([manager.Known], new Random(1)),
                OpenChannel = FakeManager.Open,
                TlsInfo = () => null,
            },
            run.Executor,
            NullLogger<NodeAgent>.Instance);
        using var stopping = new CancellationTokenSource();
        var running = agent.RunAsync(stopping.Token);
        await manager.UntilReportedAsync(task.Id, TaskState.Running);
        Assert.Equal("hello\n", await AskAsync(port));

        task.DesiredState = TaskState.Shutdown;
        manager.Assign(AssignmentsMessage.Types.Type.Incremental, "1", "2", FakeManager.Give(task));
        await manager.UntilReportedAsync(task.Id, TaskState.Shutdown);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(port));
        manager.Assign(AssignmentsMessage.Types.Type.Complete, "2", "3");
        await stopping.CancelAsync();
        await running.WaitAsync(FakeManager.Patience);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    // Both the port and the program behind it open a moment after the task runs.
    private static async Task<string> AskAsync(int port)
    {
        using var deadline = new CancellationTokenSource(FakeManager.Patience);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var socket = await ConnectAsync(port);
                using var reader = new StreamReader(new NetworkStream(socket));
                if (await reader.ReadLineAsync(deadline.Token) is { Length: > 0 } line)
                {
                    return line + "\n";
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // Not yet.
            }

            Assert.True(await pace.WaitForNextTickAsync(deadline.Token));
        }
    }
}

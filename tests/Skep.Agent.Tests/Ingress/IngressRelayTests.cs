using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Ingress;

namespace Skep.Agent.Tests.Ingress;

public sealed class IngressRelayTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<(string Task, string Problem)> _problems = new();
    private readonly SemaphoreSlim _said = new(0);
    private readonly IngressRelay _relay;
    private readonly CancellationTokenSource _deadline = new(Patience);

    public IngressRelayTests()
    {
        _relay = new IngressRelay(
            (task, problem) =>
            {
                _problems.Enqueue((task, problem));
                _said.Release();
            },
            new RelayLimits { BindRetry = TimeSpan.FromMilliseconds(200) },
            TimeProvider.System,
            NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _deadline.Dispose();
    }

    private static SwarmTask Task(string id, int published, int target, PortConfig.Types.Protocol protocol = PortConfig.Types.Protocol.Tcp) => new()
    {
        Id = id,
        Endpoint = new Endpoint { Ports = { new PortConfig { Protocol = protocol, PublishedPort = (uint)published, TargetPort = (uint)target } } },
    };

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static int FreePort(ProtocolType protocol = ProtocolType.Tcp)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return PortOf(socket);
    }

    private static Socket Listen(IPAddress address, int port = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    private async Task UntilAsync(string task, string problem)
    {
        while (!_problems.Any(p => p.Task == task && p.Problem.Contains(problem, StringComparison.Ordinal) && (problem.Length > 0 || p.Problem.Length == 0)))
        {
            Assert.True(await _said.WaitAsync(Patience), $"nothing was said of {task}: {problem}");
        }
    }

    private async Task<Socket> ConnectAsync(int port)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), _deadline.Token);
        return client;
    }

    private async Task<string> ReadToEndAsync(Socket socket)
    {
        using var reader = new StreamReader(new NetworkStream(socket));
        return await reader.ReadToEndAsync(_deadline.Token);
    }

    [Fact]
    public async Task What_comes_to_the_published_port_reaches_the_task_and_each_half_is_closed_by_itself()
    {
        using var task = Listen(IPAddress.Loopback);
        var port = FreePort();
        _relay.Add(Task("t", port, PortOf(task)), IPAddress.Loopback);
        await UntilAsync("t", "");

        using var client = await ConnectAsync(port);
        using var server = await task.AcceptAsync(_deadline.Token);
        await client.SendAsync("question"u8.ToArray(), _deadline.Token);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question", await ReadToEndAsync(server));

        using var answering = await ConnectAsync(port);
        using var answered = await task.AcceptAsync(_deadline.Token);
        await answered.SendAsync(Encoding.UTF8.GetBytes(new string('x', 1_000_000)), _deadline.Token);
        answered.Shutdown(SocketShutdown.Send);
        Assert.Equal(1_000_000, (await ReadToEndAsync(answering)).Length);
    }

    [Fact]
    public async Task The_tasks_of_a_port_take_turns_and_one_that_does_not_answer_is_passed_over()
    {
        using var one = Listen(IPAddress.Parse("127.0.0.2"));
        using var two = Listen(IPAddress.Parse("127.0.0.3"), PortOf(one));
        var port = FreePort();
        _relay.Add(Task("one", port, PortOf(one)), IPAddress.Parse("127.0.0.2"));
        _relay.Add(Task("two", port, PortOf(one)), IPAddress.Parse("127.0.0.3"));
        _relay.Add(Task("dead", port, PortOf(one)), IPAddress.Parse("127.0.0.4"));
        await UntilAsync("one", "");

        var clients = new List<Socket>();
        for (var i = 0; i < 6; i++)
        {
            clients.Add(await ConnectAsync(port));
        }

        var toOne = 0;
        var toTwo = 0;
        while (toOne + toTwo < 6)
        {
            var first = one.AcceptAsync(_deadline.Token).AsTask();
            var second = two.AcceptAsync(_deadline.Token).AsTask();
            for (var left = 6 - toOne - toTwo; left > 0 && toOne + toTwo < 6; left--)
            {
                var accepted = await System.Threading.Tasks.Task.WhenAny(first, second);
                (await accepted).Dispose();
                if (accepted == first)
                {
                    toOne++;
                    first = one.AcceptAsync(_deadline.Token).AsTask();
                }
                else
                {
                    toTwo++;
                    second = two.AcceptAsync(_deadline.Token).AsTask();
                }
            }
        }

        Assert.True(toOne >= 2 && toTwo >= 2, $"{toOne} went to one, {toTwo} to two");
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task A_port_that_something_else_has_is_said_and_opened_once_it_is_free()
    {
        using var task = Listen(IPAddress.Loopback);
        var port = FreePort();
        var other = Listen(IPAddress.Any, port);
        _relay.Add(Task("t", port, PortOf(task)), IPAddress.Loopback);
        await UntilAsync("t", $"published port {port}/tcp is not open on this node: something else on this machine listens on it");

        _relay.Add(Task("later", port, PortOf(task)), IPAddress.Loopback);
        await UntilAsync("later", "something else");
        other.Dispose();
        await UntilAsync("later", "");
        using var client = await ConnectAsync(port);
    }

    [Fact]
    public async Task A_port_without_tasks_is_closed_and_what_was_begun_goes_on()
    {
        using var task = Listen(IPAddress.Loopback);
        var port = FreePort();
        _relay.Add(Task("t", port, PortOf(task)), IPAddress.Loopback);
        await UntilAsync("t", "");
        using var client = await ConnectAsync(port);
        using var server = await task.AcceptAsync(_deadline.Token);

        await _relay.RemoveAsync("t");
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(port));
        await client.SendAsync("still"u8.ToArray(), _deadline.Token);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("still", await ReadToEndAsync(server));
    }

    [Fact]
    public async Task Datagrams_reach_the_task_and_its_answers_the_client()
    {
        using var task = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = FreePort(ProtocolType.Udp);
        _relay.Add(Task("t", port, PortOf(task.Client), PortConfig.Types.Protocol.Udp), IPAddress.Loopback);
        await UntilAsync("t", "");

        using var one = new UdpClient(0, AddressFamily.InterNetwork);
        using var two = new UdpClient(0, AddressFamily.InterNetwork);
        foreach (var (client, text) in new[] { (one, "1"), (two, "2"), (one, "3") })
        {
            await client.SendAsync(Encoding.UTF8.GetBytes(text), "127.0.0.1", port, _deadline.Token);
            var asked = await task.ReceiveAsync(_deadline.Token);
            byte[] answer = [.. "re:"u8, .. asked.Buffer];
            await task.SendAsync(answer, asked.RemoteEndPoint, _deadline.Token);
            Assert.Equal("re:" + text, Encoding.UTF8.GetString((await client.ReceiveAsync(_deadline.Token)).Buffer));
        }
    }
}

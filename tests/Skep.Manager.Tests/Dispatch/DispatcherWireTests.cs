using Docker.Swarmkit.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity.Authorization;
using Skep.Manager.Tests.Support;

namespace Skep.Manager.Tests.Dispatch;

/// <summary>The dispatcher as an agent meets it: over HTTP/2, with its flow control, cancellations and statuses.</summary>
public sealed class DispatcherWireTests : IAsyncLifetime
{
    private DispatchFixture f = null!;
    private WebApplication app = null!;
    private GrpcChannel channel = null!;

    public async ValueTask InitializeAsync()
    {
        f = await DispatchFixture.StartedAsync("n1");
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(o => o.Interceptors.Add<NodeFromHeader>());
        builder.Services.AddSingleton(f.Service);
        app = builder.Build();
        app.MapGrpcService<Manager.Dispatch.DispatcherService>();
        await app.StartAsync();
        channel = GrpcChannel.ForAddress(app.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await f.DisposeAsync();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task An_agent_registers_beats_gets_a_task_and_reports_it()
    {
        Dispatcher.DispatcherClient agent = new(channel);
        using AsyncServerStreamingCall<SessionMessage> session = agent.Session(new() { Description = new() { Hostname = "h" } });
        string id = (await NextAsync(session, "registration")).SessionId;
        Assert.Equal("h", f.Node("n1").Description.Hostname);
        Assert.True((await agent.HeartbeatAsync(new() { SessionId = id })).Period.ToTimeSpan() > TimeSpan.Zero);

        await f.AddTaskAsync("t", "n1");
        using AsyncServerStreamingCall<AssignmentsMessage> assignments = agent.Assignments(new() { SessionId = id });
        Assert.Equal("t", (await NextAsync(assignments, "the first assignments")).Changes.Single().Assignment.Task.Id);
        await agent.UpdateTaskStatusAsync(new()
        {
            SessionId = id,
            Updates = { new UpdateTaskStatusRequest.Types.TaskStatusUpdate { TaskId = "t", Status = new() { State = TaskState.Running } } },
        });
        Assert.Equal(TaskState.Running, f.StateOf("t"));
    }

    [Fact]
    public async Task A_silent_agent_s_streams_end_with_the_status_that_makes_it_register_again()
    {
        Dispatcher.DispatcherClient agent = new(channel);
        using AsyncServerStreamingCall<SessionMessage> session = agent.Session(new());
        await NextAsync(session, "registration");
        f.Time.Advance(TimeSpan.FromSeconds(20));
        RpcException end;
        do
        {
            // What was told before the end may still be on its way.
            end = await Record.ExceptionAsync(() => NextAsync(session, "the end")) as RpcException ?? null!;
        }
        while (end is null);
        Assert.Equal((StatusCode.NotFound, "node not registered"), (end.StatusCode, end.Status.Detail));
    }

    [Fact]
    public async Task An_agent_that_stops_reading_holds_up_nobody_and_its_stream_ends_with_its_session()
    {
        Dispatcher.DispatcherClient agent = new(channel);
        using AsyncServerStreamingCall<SessionMessage> session = agent.Session(new());
        string id = (await NextAsync(session, "registration")).SessionId;
        var spec = new TaskSpec { Container = new() { Env = { new string('x', 100_000) } } };
        for (int i = 0; i < 100; i++)
        {
            await f.AddTaskAsync($"t{i}", "n1", spec: spec.Clone());
        }

        // Ten megabytes are more than any window of HTTP/2 here: the server stands in the middle of the message.
        using AsyncServerStreamingCall<AssignmentsMessage> unread = agent.Assignments(new() { SessionId = id });
        await unread.ResponseHeadersAsync.Within("the stream is open");
        await agent.HeartbeatAsync(new() { SessionId = id });
        using AsyncServerStreamingCall<SessionMessage> again = agent.Session(new());
        await NextAsync(again, "another registration");
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await NextAsync(session, "the older session ends");
            }
        })).StatusCode);
    }

    private static async Task<T> NextAsync<T>(AsyncServerStreamingCall<T> call, string phase)
    {
        Assert.True(await call.ResponseStream.MoveNext(default).Within(phase), phase);
        return call.ResponseStream.Current;
    }

    /// <summary>Stands for the authorisation of real listeners: everyone is node n1.</summary>
    private sealed class NodeFromHeader : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            context.SetCaller(CallerIdentity.Local("n1", NodeRole.Worker, "cluster"));
            return continuation(request, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            context.SetCaller(CallerIdentity.Local("n1", NodeRole.Worker, "cluster"));
            return continuation(request, responseStream, context);
        }
    }
}

using System.Buffers.Binary;
using System.Net;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Swarmctl.Connection;

namespace Swarmctl.Tests.Connection;

/// <summary>What a call makes of a server's answer, well formed or not.</summary>
public sealed class HttpInvokerTests
{
    [Fact]
    public async Task A_call_is_framed_as_gRPC_has_it()
    {
        var server = new Server(Ok([.. Framed(new ListNodesResponse())]));
        await server.Control.ListNodesAsync(new() { Filters = new() { Names = { "node-1" } } });

        Assert.Equal(HttpMethod.Post, server.Request!.Method);
        Assert.Equal("/docker.swarmkit.v1.Control/ListNodes", server.Request.RequestUri!.AbsolutePath);
        Assert.Equal("application/grpc", server.ContentType);
        Assert.Equal("trailers", server.Request.Headers.TE.ToString());
        Assert.Equal(Framed(new ListNodesRequest { Filters = new() { Names = { "node-1" } } }), server.Body);
    }

    [Fact]
    public async Task A_status_alone_among_the_headers_is_the_calls_failure()
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK);
        response.Headers.Add("grpc-status", "5");
        response.Headers.Add("grpc-message", "node n%C3%B6 not found%21");
        Status status = await FailureAsync(response);
        Assert.Equal(new Status(StatusCode.NotFound, "node nö not found!"), status);
    }

    [Fact]
    public async Task A_failure_after_an_answer_is_a_failure() =>
        Assert.Equal(StatusCode.Aborted, (await FailureAsync(Ok(Framed(new ListNodesResponse()), status: "10"))).StatusCode);

    [Theory]
    [InlineData("", "0", "yet without an answer")]
    [InlineData("0000", "0", "not framed")]
    [InlineData("0100000000", "0", "not framed")]
    [InlineData("00ffffffff", "0", "not framed")]
    [InlineData("000000000501", "0", "closed the connection before it had answered")]
    [InlineData("00000000000000000000", "0", "more than one answer")]
    [InlineData("0000000000", null, "without a status")]
    [InlineData("0000000000", "many", "without a status")]
    public async Task An_answer_that_is_none_is_refused(string body, string? status, string because)
    {
        Status failure = await FailureAsync(Ok(Convert.FromHexString(body), status));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains(because, failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_gRPC_server_is_told_by_its_own_status() =>
        Assert.Equal("what answers there is no manager: it says HTTP 404", (await FailureAsync(new HttpResponseMessage(HttpStatusCode.NotFound))).Detail);

    [Fact]
    public async Task A_stream_gives_its_messages_in_order_and_ends()
    {
        var first = new SubscribeLogsMessage { Messages = { new LogMessage { Data = ByteString.CopyFromUtf8("one") } } };
        var second = new SubscribeLogsMessage { Messages = { new LogMessage { Data = ByteString.CopyFromUtf8("two") } } };
        var server = new Server(Ok([.. Framed(first), .. Framed(second)]));
        using AsyncServerStreamingCall<SubscribeLogsMessage> call = new Logs.LogsClient(server.Invoker).SubscribeLogs(new());
        var all = new List<SubscribeLogsMessage>();
        while (await call.ResponseStream.MoveNext(default))
        {
            all.Add(call.ResponseStream.Current);
        }
        Assert.Equal([first, second], all);
    }

    [Fact]
    public async Task A_cancelled_call_says_so()
    {
        var server = new Server(Ok([]));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await server.Control.ListNodesAsync(new(), cancellationToken: cancelled.Token));
    }

    private static byte[] Framed(IMessage message)
    {
        byte[] frame = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.CalculateSize());
        message.WriteTo(frame.AsSpan(5));
        return frame;
    }

    private static HttpResponseMessage Ok(byte[] body, string? status = "0")
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(body) };
        if (status is not null)
        {
            response.TrailingHeaders.Add("grpc-status", status);
        }
        return response;
    }

    private static async Task<Status> FailureAsync(HttpResponseMessage response) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await new Server(response).Control.ListNodesAsync(new()))).Status;

    private sealed class Server : HttpMessageHandler
    {
        private readonly HttpResponseMessage _response;

        public Server(HttpResponseMessage response)
        {
            _response = response;
            Invoker = new HttpInvoker(new HttpMessageInvoker(this));
            Control = new(Invoker);
        }

        public HttpInvoker Invoker { get; }

        public Control.ControlClient Control { get; }

        public HttpRequestMessage? Request { get; private set; }

        public string? ContentType { get; private set; }

        public byte[] Body { get; private set; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Request = request;
            ContentType = request.Content!.Headers.ContentType!.ToString();
            Body = await request.Content.ReadAsByteArrayAsync(cancellationToken);
            return _response;
        }
    }
}

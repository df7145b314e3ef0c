using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Identity.Authorization;

namespace Skep.Manager.Tests.Support;

/// <summary>A call of a node, as a service sees it.</summary>
internal sealed class Call : ServerCallContext, IDisposable
{
    private readonly CancellationTokenSource cancelled = new();

    private Call(CallerIdentity caller) => this.SetCaller(caller);

    public static Call From(string nodeId, string? remote = "10.0.0.7:40000") =>
        new(CallerIdentity.Local(nodeId, NodeRole.Worker, "cluster") with { RemoteAddress = remote });

    public void Hang() => cancelled.Cancel();

    public void Dispose() => cancelled.Dispose();

    protected override string MethodCore => "/test";

    protected override string HostCore => "test";

    protected override string PeerCore => "ipv4:10.0.0.7:40000";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => cancelled.Token;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}

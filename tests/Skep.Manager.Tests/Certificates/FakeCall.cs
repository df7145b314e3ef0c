using Grpc.Core;
using Skep.Identity;
using Skep.Identity.Authorization;

namespace Skep.Manager.Tests.Certificates;

/// <summary>A gRPC call by a caller whom authorisation has already looked at.</summary>
internal sealed class FakeCall : ServerCallContext
{
    private readonly CancellationToken _ct;

    public FakeCall(CallerIdentity caller, bool isSkep = true, CancellationToken ct = default)
    {
        _ct = ct;
        RequestHeadersCore = isSkep ? SkepMark.NewHeaders() : [];
        this.SetCaller(caller);
    }

    protected override string MethodCore => "/test/Test";

    protected override string HostCore => "localhost";

    protected override string PeerCore => "ipv4:10.0.0.9:1";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; }

    protected override CancellationToken CancellationTokenCore => _ct;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}

using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.V1;

namespace Swarmctl.Tests.Support;

/// <summary>Logs that were written before they are asked for.</summary>
public sealed class FakeLogs : Logs.LogsBase
{
    public List<LogMessage> Messages { get; } = [];

    public SubscribeLogsRequest? Asked { get; private set; }

    public override async Task SubscribeLogs(SubscribeLogsRequest request, IServerStreamWriter<SubscribeLogsMessage> responseStream, ServerCallContext context)
    {
        Asked = request;
        await responseStream.WriteAsync(new SubscribeLogsMessage { Messages = { Messages } });
    }
}

/// <summary>Explanations made beforehand.</summary>
public sealed class FakeWhy : Skep.V1.Why.WhyBase
{
    public TaskExplanation Task { get; set; } = new();

    public ServiceExplanation Service { get; set; } = new();

    public override Task<WhyTaskResponse> WhyTask(WhyTaskRequest request, ServerCallContext context) =>
        System.Threading.Tasks.Task.FromResult(new WhyTaskResponse { Task = Task });

    public override Task<WhyServiceResponse> WhyService(WhyServiceRequest request, ServerCallContext context) =>
        System.Threading.Tasks.Task.FromResult(new WhyServiceResponse { Service = Service });
}

/// <summary>A key that opens locked managers, if there is one.</summary>
public sealed class FakeCa : CA.CABase
{
    public ByteString UnlockKey { get; set; } = ByteString.Empty;

    public override Task<GetUnlockKeyResponse> GetUnlockKey(GetUnlockKeyRequest request, ServerCallContext context) =>
        Task.FromResult(new GetUnlockKeyResponse { UnlockKey = UnlockKey });
}

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

/// <summary>Takes any unlock key, or refuses.</summary>
public sealed class FakeUnlocking : Unlocking.UnlockingBase
{
    public List<string> Keys { get; } = [];

    public Status? Refusal { get; set; }

    public override Task<UnlockResponse> Unlock(UnlockRequest request, ServerCallContext context)
    {
        if (Refusal is { } refusal)
        {
            throw new RpcException(refusal);
        }
        Keys.Add(request.Key);
        return Task.FromResult(new UnlockResponse());
    }
}

/// <summary>Managers that fare as a test says.</summary>
public sealed class FakeManagers : Managers.ManagersBase
{
    public ManagersStatus Managers { get; set; } = new();

    /// <summary>What a backup's file is to be, piece by piece.</summary>
    public List<byte[]> Pieces { get; } = [];

    /// <summary>Breaks the backup off behind its last piece, for this reason.</summary>
    public string? BackupFails { get; set; }

    public BackupRequest? Asked { get; private set; }

    public override Task<ManagersStatus> Status(ManagersStatusRequest request, ServerCallContext context) => Task.FromResult(Managers);

    public override async Task Backup(BackupRequest request, IServerStreamWriter<BackupPiece> responseStream, ServerCallContext context)
    {
        Asked = request;
        foreach (byte[] piece in Pieces)
        {
            await responseStream.WriteAsync(new BackupPiece { Data = ByteString.CopyFrom(piece) });
        }
        if (BackupFails is not null)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, BackupFails));
        }
    }
}

using Grpc.Core;
using Skep.V1;

namespace Skep.Node.Locking;

/// <summary>The one service of a locked manager.</summary>
internal sealed class UnlockingService(UnlockAttempts attempts) : Unlocking.UnlockingBase
{
    public override Task<UnlockResponse> Unlock(UnlockRequest request, ServerCallContext context) => attempts.Try(request.Key) switch
    {
        UnlockOutcome.Unlocked => Task.FromResult(new UnlockResponse()),
        UnlockOutcome.WrongKey => throw Refusal(
            StatusCode.PermissionDenied,
            "this key does not unlock this manager, which goes on waiting; one that was off while the key was rotated needs the key of before"),
        UnlockOutcome.NoKey => throw Refusal(StatusCode.InvalidArgument, "this is no unlock key: one looks like SWMKEY-1- and 43 characters of base64"),
        _ => throw Refusal(StatusCode.ResourceExhausted, "the last attempt was wrong and less than a second ago; try again in a moment"),
    };

    private static RpcException Refusal(StatusCode code, string message) => new(new Status(code, message));
}

using Grpc.Core;

namespace Skep.Identity.Authorization;

/// <summary>The caller of a gRPC call.</summary>
public static class CallerExtensions
{
    /// <summary>Who makes this call.</summary>
    /// <exception cref="RpcException">Nobody has looked: a listener without authorisation serves nothing.</exception>
    public static CallerIdentity Caller(this ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.UserState.TryGetValue(CallerIdentity.UserStateKey, out var value) && value is CallerIdentity caller
            ? caller
            : throw new RpcException(new Status(StatusCode.PermissionDenied, "Permission denied: the caller was not authorized"));
    }

    /// <summary>Notes who makes this call.</summary>
    public static void SetCaller(this ServerCallContext context, CallerIdentity caller)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.UserState[CallerIdentity.UserStateKey] = caller;
    }
}

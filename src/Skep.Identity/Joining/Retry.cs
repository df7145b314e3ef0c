using Grpc.Core;

namespace Skep.Identity.Joining;

/// <summary>Which failures pass, and how long to wait for it.</summary>
internal static class Retry
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MinBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(30);

    /// <summary>Whether the same request can never succeed.</summary>
    public static bool IsFinal(RpcException e) => e.StatusCode is StatusCode.InvalidArgument
        or StatusCode.PermissionDenied
        or StatusCode.Unauthenticated
        or StatusCode.FailedPrecondition
        or StatusCode.NotFound;

    /// <summary>1, 2, 4 … 30 s for the first, second, third … failure.</summary>
    public static TimeSpan Backoff(int failures) =>
        failures >= 6 ? MaxBackoff : Min(MinBackoff * Math.Pow(2, failures - 1), MaxBackoff);

    public static string Reason(RpcException e) =>
        e.Status.DebugException?.GetBaseException().Message is { Length: > 0 } beneath ? $"{e.Status.Detail} ({beneath})" : e.Status.Detail;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

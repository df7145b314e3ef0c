using Grpc.Core;

namespace Skep.Identity.Joining;

/// <summary>A manager refused for good: trying again with the same token or certificate is of no use.</summary>
public sealed class JoinRefusedException : Exception
{
    /// <summary>The manager's own words.</summary>
    public JoinRefusedException(Status status)
        : base($"rpc error: code = {status.StatusCode} desc = {status.Detail}") => StatusCode = status.StatusCode;

    /// <summary>What this node found wrong with the manager's answer.</summary>
    public JoinRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>The same, with what lies beneath.</summary>
    public JoinRefusedException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>For serializers; prefer the others.</summary>
    public JoinRefusedException()
    {
    }

    /// <summary>The manager's status code; null where this node itself refused.</summary>
    public StatusCode? StatusCode { get; }
}

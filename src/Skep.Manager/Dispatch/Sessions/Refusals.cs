using Grpc.Core;

namespace Skep.Manager.Dispatch.Sessions;

/// <summary>The refusals agents know, in SwarmKit's words and codes (source: moby/swarmkit manager/dispatcher).</summary>
internal static class Refusals
{
    /// <summary>The agent registers anew.</summary>
    public static readonly Status NotRegistered = new(StatusCode.NotFound, "node not registered");

    /// <summary>The session is not the node's newest; the agent registers anew.</summary>
    public static readonly Status SessionInvalid = new(StatusCode.InvalidArgument, "session invalid");

    /// <summary>The store has no such node.</summary>
    public static readonly Status NodeNotFound = new(StatusCode.NotFound, "node not found");

    /// <summary>This manager does not lead, or not yet; the agent tries again.</summary>
    public static readonly Status Stopped = new(StatusCode.Aborted, "dispatcher is stopped");

    /// <summary>The node registers too often.</summary>
    public static Status TooManyRegistrations(string nodeId) =>
        new(StatusCode.Unavailable, $"node {nodeId} exceeded rate limit count of registrations");
}

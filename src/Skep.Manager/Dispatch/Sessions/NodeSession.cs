using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Skep.Manager.Dispatch.Sessions;

/// <summary>One registration of a node. Its streams end when it ends.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and its token outlives the session in the streams that end; the collector frees it.")]
internal sealed class NodeSession(string nodeId, string id)
{
    private readonly CancellationTokenSource ended = new();

    public string NodeId => nodeId;

    public string Id => id;

    /// <summary>Cancelled when the session is over.</summary>
    public CancellationToken Ended => ended.Token;

    /// <summary>What the streams of a session that is over end with.</summary>
    public Status Reason { get; private set; } = Status.DefaultSuccess;

    /// <summary>Ends the session; called outside of locks, as whoever waits may run here.</summary>
    public void End(Status reason)
    {
        if (!ended.IsCancellationRequested)
        {
            Reason = reason;
            ended.Cancel();
        }
    }
}

namespace Skep.Coordination.Tree;

/// <summary>A client's session: replicated, so that it outlives the member it is connected to. When it ends is decided outside.</summary>
internal sealed class Session(int timeoutMs, byte[] password)
{
    public int TimeoutMs { get; } = timeoutMs;

    public byte[] Password { get; } = password;

    /// <summary>Numbers of the nodes that go when the session does.</summary>
    public HashSet<int> Ephemerals { get; } = [];
}

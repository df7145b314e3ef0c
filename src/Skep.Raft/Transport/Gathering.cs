namespace Skep.Raft.Transport;

/// <summary>As long as it lasts, its thread writes nothing to peers; at its end all that waits leaves together.</summary>
internal readonly struct Gathering : IDisposable
{
    [ThreadStatic]
    private static bool _isUnderWay;

    private readonly RaftTransport _transport;

    public Gathering(RaftTransport transport)
    {
        _transport = transport;
        _isUnderWay = true;
    }

    /// <summary>Whether this thread is in one.</summary>
    public static bool IsUnderWay => _isUnderWay;

    public void Dispose()
    {
        _isUnderWay = false;
        _transport.Flush();
    }
}

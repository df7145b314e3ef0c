using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>What a server knows a session by, and what it must have seen to take it over.</summary>
internal sealed class SessionProof(int askedTimeoutMs)
{
    private long _lastZxid;
    private bool _wasWritable;
    private int _grantedTimeoutMs;

    public long Id { get; private set; }

    public ReadOnlyMemory<byte> Password { get; private set; } = new byte[16];

    public int TimeoutMs => _grantedTimeoutMs == 0 ? askedTimeoutMs : _grantedTimeoutMs;

    public bool IsReadOnly { get; private set; }

    public long LastZxid => Volatile.Read(ref _lastZxid);

    public TimeSpan Timeout => TimeSpan.FromMilliseconds(TimeoutMs);

    public void Saw(long zxid)
    {
        if (zxid > _lastZxid)
        {
            Volatile.Write(ref _lastZxid, zxid);
        }
    }

    // A session that only a server without a majority knows is none to the others: they are asked for a new one.
    public ConnectRequest Ask(bool readOnlyAllowed) =>
        new(0, LastZxid, askedTimeoutMs, _wasWritable ? Id : 0, _wasWritable ? Password : new byte[16], readOnlyAllowed);

    /// <exception cref="SessionExpiredException">The server does not know the session any more.</exception>
    public void Granted(ConnectResponse response)
    {
        if (response.TimeoutMs <= 0)
        {
            throw new SessionExpiredException();
        }
        Id = response.SessionId;
        Password = response.Password.GetValueOrDefault();
        _grantedTimeoutMs = response.TimeoutMs;
        IsReadOnly = response.ReadOnly == true;
        _wasWritable |= !IsReadOnly;
    }
}

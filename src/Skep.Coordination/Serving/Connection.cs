using System.Buffers;
using System.Buffers.Binary;
using Skep.Coordination.Replication;
using Skep.Jute;

namespace Skep.Coordination.Serving;

/// <summary>How far a connection has come.</summary>
internal enum ConnectionState
{
    /// <summary>Nothing came yet.</summary>
    New,

    /// <summary>It asked for a session, which the group has yet to agree to.</summary>
    Attaching,

    /// <summary>It has a session.</summary>
    Open,

    /// <summary>What it was told last is still to be sent; nothing more is taken from it.</summary>
    Closing,

    /// <summary>It is over.</summary>
    Closed,
}

/// <summary>What carries a connection's bytes.</summary>
internal interface IClientLink
{
    /// <summary>There is something to send, or room again, or the connection is to be closed. Called outside of all locks; returns soon.</summary>
    /// <param name="here">Whether the calling thread has the time to send.</param>
    void Wake(bool here);
}

/// <summary>
/// One client's connection: what it asked for and was not answered yet, in order, and what is to be sent to it. All of it belongs to
/// its member's lock.
/// </summary>
/// <param name="link">What carries its bytes.</param>
/// <param name="peer">Who it is before it proves anything: its address, its certificate.</param>
internal sealed class Connection(IClientLink link, ConnectionPeer peer)
{
    private const int LeastBufferBytes = 256;
    private byte[] _out = [];
    private int _outLength;
    private Appender? _appender;

    public IClientLink Link => link;

    public ConnectionPeer Peer => peer;

    public ConnectionState State { get; set; }

    /// <summary>Names it to the group while it asks for a session.</summary>
    public long Token { get; set; }

    public long SessionId { get; set; }

    public int Epoch { get; set; }

    public int TimeoutMs { get; set; }

    /// <summary>Whether it has a session of this member alone, which cannot write.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>Who it is where it is read-only: what its session is known by was proved on another connection.</summary>
    public IReadOnlyList<AclId> OwnIdentities { get; set; } = peer.Identities;

    /// <summary>Whether its reads must be no older than what was committed when they came.</summary>
    public bool IsLinearizable { get; set; }

    /// <summary>What it asked for when it began, to be answered in kind.</summary>
    public ConnectRequest Asked { get; set; }

    /// <summary>What SASL last asked of it, to be answered once; null where nothing was.</summary>
    public string? SaslNonce { get; set; }

    /// <summary>The write by which it asks for its session.</summary>
    public byte[]? AttachWrite { get; set; }

    /// <summary>When its last bytes came.</summary>
    public long HeardMs { get; set; }

    /// <summary>When it was accepted.</summary>
    public long BegunMs { get; init; }

    /// <summary>When its unanswered writes were last sent to the leader, and how long to wait for the next time.</summary>
    public long SentMs { get; set; }

    /// <summary>How long to wait before its unanswered writes are sent once more.</summary>
    public int ResendAfterMs { get; set; }

    /// <summary>Requests that are not answered yet, in their order.</summary>
    public Queue<PendingRequest> Pending { get; } = new(0);

    /// <summary>Writes among them that something before them holds back.</summary>
    public int UnsentWrites { get; set; }

    /// <summary>Requests among them that wait for what was committed when they came.</summary>
    public int OpenBarriers { get; set; }

    /// <summary>The number of its last write.</summary>
    public long LastNumber { get; set; }

    /// <summary>Whether it is among those to be woken.</summary>
    public bool IsMarked { get; set; }

    /// <summary>Figures for whoever asks by four-letter words.</summary>
    public ConnectionFigures Figures { get; } = new();

    /// <summary>Bytes that wait to be sent.</summary>
    public int OutLength => _outLength;

    /// <summary>Answers with a header and whatever <paramref name="body"/> writes behind it.</summary>
    public void Reply<TState>(int xid, long zxid, ErrorCode err, TState state, ReplyBody<TState> body) where TState : allows ref struct
    {
        int start = _outLength;
        _appender ??= new Appender(this);
        Grow(4);
        _outLength += 4;
        var writer = new JuteWriter(_appender);
        new ReplyHeader(xid, zxid, (int)err).Write(ref writer);
        body(state, ref writer);
        BinaryPrimitives.WriteInt32BigEndian(_out.AsSpan(start), _outLength - start - 4);
        Figures.Sent++;
    }

    /// <summary>Answers with a header alone.</summary>
    public void Reply(int xid, long zxid, ErrorCode err) => Reply(xid, zxid, err, 0, static (int _, ref JuteWriter _) => { });

    /// <summary>Puts bytes out as they are.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        Grow(bytes.Length);
        bytes.CopyTo(_out.AsSpan(_outLength));
        _outLength += bytes.Length;
    }

    /// <summary>Takes what waits to be sent; the caller gives the array back to the shared pool.</summary>
    public (byte[] Buffer, int Length) TakeOutput()
    {
        (byte[], int) taken = (_out, _outLength);
        (_out, _outLength) = ([], 0);
        return taken;
    }

    private void Grow(int by)
    {
        if (_out.Length - _outLength >= by)
        {
            return;
        }
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(LeastBufferBytes, Math.Max(_outLength + by, _out.Length * 2)));
        _out.AsSpan(0, _outLength).CopyTo(larger);
        if (_out.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_out);
        }
        _out = larger;
    }

    /// <summary>Writes behind what is there.</summary>
    private sealed class Appender(Connection connection) : IBufferWriter<byte>
    {
        public void Advance(int count) => connection._outLength += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            connection.Grow(Math.Max(1, sizeHint));
            return connection._out.AsMemory(connection._outLength);
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}

/// <summary>Writes an answer's body.</summary>
internal delegate void ReplyBody<in TState>(TState state, ref JuteWriter writer) where TState : allows ref struct;

/// <summary>Who a connection is before it proves anything.</summary>
/// <param name="Address">Its IP address.</param>
/// <param name="Endpoint">Its address and port, for people.</param>
/// <param name="Identities">Its address and, over TLS, its certificate.</param>
/// <param name="MayProveByPassword">Whether what it says cannot be overheard.</param>
internal sealed record ConnectionPeer(string Address, string Endpoint, IReadOnlyList<AclId> Identities, bool MayProveByPassword);

/// <summary>What passed over a connection.</summary>
internal sealed class ConnectionFigures
{
    public long Received { get; set; }

    public long Sent { get; set; }
}

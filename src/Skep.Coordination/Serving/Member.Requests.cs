using System.Buffers;
using Microsoft.Extensions.Logging;
using Skep.Coordination.Replication;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    /// <summary>Requests of one connection that may wait; beyond them nothing more is read from it.</summary>
    private const int MaxPending = 1_000;
    private const int PingXid = -2;
    private const int MaxOutBytes = 1024 * 1024;

    /// <summary>A client that reads nothing is let go once so much waits for it.</summary>
    private const int MostOutBytes = 32 * 1024 * 1024;
    private const long MaxPendingBytes = 64L * 1024 * 1024;
    private readonly MemberFigures _figures = new();

    /// <summary>Takes a connection in.</summary>
    public Connection Accept(IClientLink link, ConnectionPeer peer)
    {
        var connection = new Connection(link, peer) { BegunMs = _options.NowMs(), IsLinearizable = _options.LinearizableReads };
        lock (_gate)
        {
            _connections.Add(connection);
        }
        return connection;
    }

    /// <summary>The connection is gone: its session lives on until its time is over, its watches do not.</summary>
    public void Detach(Connection connection)
    {
        lock (_gate)
        {
            Forget(connection);
            connection.State = ConnectionState.Closed;
            _connections.Remove(connection);
        }
    }

    /// <summary>Whether nothing more is to be read from a connection before it is woken next.</summary>
    public bool IsFull(Connection connection)
    {
        lock (_gate)
        {
            return connection.State < ConnectionState.Closing && (connection.Pending.Count >= MaxPending || connection.OutLength >= MaxOutBytes || _figures.OutstandingSizeBytes >= MaxPendingBytes);
        }
    }

    /// <summary>Counts a connection that was not taken in.</summary>
    public void Refused()
    {
        lock (_gate)
        {
            _figures.ConnectionsRefused++;
        }
    }

    /// <summary>Takes what is to be sent to a client; the array goes back to the shared pool.</summary>
    public (byte[] Buffer, int Length) TakeOutput(Connection connection)
    {
        lock (_gate)
        {
            return connection.TakeOutput();
        }
    }

    /// <summary>Takes what a client sent, as far as it is whole frames, and as there is room for their answers.</summary>
    /// <param name="connection">Whose it is.</param>
    /// <param name="bytes">What came; moved past what was taken.</param>
    /// <returns>Whether something is left that there was no room to answer: to be given again once there is.</returns>
    public bool Receive(Connection connection, ref ReadOnlySequence<byte> bytes)
    {
        Effects effects;
        bool isFull;
        lock (_gate)
        {
            long nowMs = _options.NowMs();
            connection.HeardMs = nowMs;
            try
            {
                while (connection.State < ConnectionState.Closing && connection.OutLength < MaxOutBytes && TryTake(connection, ref bytes, out ReadOnlyMemory<byte> frame))
                {
                    connection.Figures.Received++;
                    _figures.Received++;
                    Handle(connection, frame, nowMs);
                }
            }
            catch (JuteFormatException e)
            {
                // The frames themselves are not to be told apart any more.
                _figures.BadFrames++;
                _effects.Notices.Add(log => LogBadFrame(log, connection.Peer.Endpoint, e.Message));
                Close(connection);
            }
            if (connection is { State: ConnectionState.Open, IsReadOnly: false })
            {
                _heard.Add(connection.SessionId);
            }
            isFull = bytes.Length > 0 && connection is { State: < ConnectionState.Closing, OutLength: >= MaxOutBytes };
            effects = TakeEffects();
        }
        Do(effects);
        return isFull;
    }

    private bool TryTake(Connection connection, ref ReadOnlySequence<byte> bytes, out ReadOnlyMemory<byte> frame)
    {
        frame = default;
        if (connection.State == ConnectionState.New && bytes.Length >= 4 && FourLetterWords.TryRead(bytes, out string word))
        {
            bytes = bytes.Slice(4);
            connection.Send(_words.Answer(word, View()));
            Close(connection);
            return false;
        }
        if (!JuteFrame.TryRead(ref bytes, _options.MaxFrameBytes, out ReadOnlySequence<byte> found))
        {
            return false;
        }
        frame = found.IsSingleSegment ? found.First : found.ToArray();
        return true;
    }

    private void Handle(Connection connection, ReadOnlyMemory<byte> frame, long nowMs)
    {
        var reader = new JuteReader(frame);
        if (connection.State != ConnectionState.Open)
        {
            if (connection.State != ConnectionState.New)
            {
                throw new JuteFormatException("a request came before the session was there");
            }
            BeginSession(connection, ConnectRequest.Read(ref reader), nowMs);
            return;
        }
        RequestHeader header = RequestHeader.Read(ref reader);
        ReadOnlyMemory<byte> body = frame[^reader.Remaining..];
        var op = (OpCode)header.Type;
        switch (op)
        {
            case OpCode.Ping:
                // It overtakes what waits. A client that took the zxid for seen, while its setWatches waits, would miss what came before.
                connection.Reply(PingXid, connection.Pending.Count == 0 ? Tree.LastZxid : 0, ErrorCode.Ok);
                MarkDirty(connection);
                break;
            case OpCode.Auth:
                Authenticate(connection, header, AuthPacket.Read(ref reader), nowMs);
                break;
            case OpCode.Sasl:
                StepSasl(connection, header, SaslToken.Read(ref reader), nowMs);
                break;
            case OpCode.Reconfig:
                // Who is a member follows from the cluster's managers.
                Refuse(connection, header, ErrorCode.ReconfigDisabled, nowMs);
                break;
            case var _ when Requests.IsWrite(op) || (op == OpCode.Sync && connection.IsReadOnly):
                // A sync that reaches no leader must not look like one.
                if (connection.IsReadOnly && op != OpCode.CloseSession)
                {
                    Refuse(connection, header, ErrorCode.NotReadOnly, nowMs);
                    break;
                }
                if (connection.IsReadOnly)
                {
                    connection.Reply(header.Xid, Tree.LastZxid, ErrorCode.Ok);
                    Close(connection);
                    break;
                }
                if (!Requests.CanRead(op, body))
                {
                    Refuse(connection, header, ErrorCode.MarshallingError, nowMs);
                    break;
                }
                AddWrite(connection, header.Xid, op, body.Span, nowMs);
                break;
            default:
                AddRead(connection, header.Xid, op, body, nowMs);
                break;
        }
    }

    // A refusal keeps its place among the answers.
    private void Refuse(Connection connection, RequestHeader header, ErrorCode err, long nowMs) =>
        Enqueue(connection, new PendingRequest { Xid = header.Xid, Op = OpCode.Error, Refusal = err, CameMs = nowMs });

    private void AddWrite(Connection connection, int xid, OpCode op, ReadOnlySpan<byte> body, long nowMs, byte[]? proof = null)
    {
        long number = ++connection.LastNumber;
        Enqueue(connection, new PendingRequest
        {
            Xid = xid,
            Op = op,
            Number = number,
            Write = Write.Request(connection.SessionId, connection.Epoch, number, op, body),
            Proof = proof,
            CameMs = nowMs,
        });
    }

    private void AddRead(Connection connection, int xid, OpCode op, ReadOnlyMemory<byte> body, long nowMs)
    {
        bool needsBarrier = op == OpCode.Sync || (connection is { IsLinearizable: true, IsReadOnly: false } && IsOfTree(op));
        if (!needsBarrier && connection.Pending.Count == 0)
        {
            ExecuteRead(connection, xid, op, body);
            MarkDirty(connection);
            _figures.Took(0);
            return;
        }
        var request = new PendingRequest { Xid = xid, Op = op, Body = body.ToArray(), NeedsBarrier = needsBarrier, CameMs = nowMs };
        if (needsBarrier)
        {
            _effects.Barriers.Add((connection, request));
        }
        Enqueue(connection, request);
    }

    private void Enqueue(Connection connection, PendingRequest request)
    {
        connection.Pending.Enqueue(request);
        _figures.Outstanding++;
        _figures.OutstandingSizeBytes += request.SizeBytes;
        if (request.Write is not null && connection.OpenBarriers == 0)
        {
            Send(connection, request);
            return;
        }
        connection.UnsentWrites += request.Write is null ? 0 : 1;
        connection.OpenBarriers += request.NeedsBarrier ? 1 : 0;
        Advance(connection);
    }

    private PendingRequest Dequeue(Connection connection)
    {
        PendingRequest request = connection.Pending.Dequeue();
        _figures.Outstanding--;
        _figures.OutstandingSizeBytes -= request.SizeBytes;
        return request;
    }

    // Answers what can be answered, in the client's order, and sends on the writes that nothing before them holds back.
    private void Advance(Connection connection)
    {
        while (connection.Pending.TryPeek(out PendingRequest? first) && first.Write is null && (first.HasBarrier || !first.NeedsBarrier))
        {
            Dequeue(connection);
            if (first.Op == OpCode.Error)
            {
                connection.Reply(first.Xid, Tree.LastZxid, first.Refusal);
            }
            else
            {
                ExecuteRead(connection, first.Xid, first.Op, first.Body);
            }
            _figures.Took(_options.NowMs() - first.CameMs);
            MarkDirty(connection);
        }
        if (connection.UnsentWrites == 0)
        {
            return;
        }
        foreach (PendingRequest request in connection.Pending)
        {
            // A write behind a read that waits for the leader would be seen by it.
            if (request.NeedsBarrier && !request.HasBarrier)
            {
                break;
            }
            if (request is { Write: not null, IsSent: false })
            {
                connection.UnsentWrites--;
                Send(connection, request);
            }
        }
    }

    private void Send(Connection connection, PendingRequest request)
    {
        request.IsSent = true;
        if (connection.ResendAfterMs == 0)
        {
            (connection.SentMs, connection.ResendAfterMs) = (_options.NowMs(), LeastResendMs);
        }
        Submit(request.Write);
    }

    private void Forget(Connection connection)
    {
        AuditLater(connection);
        while (connection.Pending.Count > 0)
        {
            Dequeue(connection);
        }
        (connection.UnsentWrites, connection.OpenBarriers) = (0, 0);
        _attaching.Remove(connection.Token);
        if (_local.TryGetValue(connection.SessionId, out Connection? own) && own == connection)
        {
            _local.Remove(connection.SessionId);
            _watches.RemoveSession(connection.SessionId);
        }
    }

    // What it was told last still goes out.
    private void Close(Connection connection)
    {
        if (connection.State < ConnectionState.Closing)
        {
            Forget(connection);
            connection.State = ConnectionState.Closing;
            MarkDirty(connection);
        }
    }

    [LoggerMessage(EventId = 2404, Level = LogLevel.Warning, Message = "The coordination client at {Endpoint} was let go: {Reason}")]
    private static partial void LogBadFrame(ILogger logger, string endpoint, string reason);
}

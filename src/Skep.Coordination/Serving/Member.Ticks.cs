using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private const byte TouchAside = 2;
    private const byte TouchedAside = 3;
    private const int LeastResendMs = 1_000;
    private const int LongestResendMs = 8_000;
    private const int CutOffAfterMs = 2_000;
    private const int HandshakeMs = 15_000;

    /// <summary>How often the leader is told who was heard from, at least: some times in a third of the shortest time-out.</summary>
    private const int TellHeardMs = 2 * TickMs;
    private const int TendIdleMs = 1_000;
    private const int PassedEveryMs = 10_000;
    private const int MaxPassedAtOnce = 1_000;
    private static readonly Acl[] OwnAcl = [new((int)Access.Permissions.Read, new AclId("world", "anyone"))];

    private readonly HashSet<long> _heard = [];

    // Heard, and not known to be known to the leader: by the number of the aside that told it first. Told again until then, since a
    // client that is connected speaks only three times in its time-out.
    private readonly Dictionary<long, long> _untold = [];
    private readonly List<(Connection Connection, PendingRequest Request)> _barriersAgain = [];
    private readonly Queue<(long Number, long SentMs)> _touches = new();
    private Standing _seen;
    private long _touchNumber;
    private long _leaderSeenMs;
    private long _contactMs;
    private long _passedMs;
    private long _toldHeardMs;
    private long _tendedMs;
    private long _tickedMs;
    private string _toldMembers = "";

    /// <summary>Does what time asks for; to be called every <see cref="TickMs"/>.</summary>
    public void Tick()
    {
        Effects effects;
        lock (_gate)
        {
            long nowMs = _options.NowMs();
            Standing standing = _consensus.Standing;
            if (standing.LeaderId != 0 || _seen.LeaderId != 0)
            {
                // Also when it was lost just now: an idle member looks seldom.
                _leaderSeenMs = nowMs;
            }
            if (standing != _seen)
            {
                _seen = standing;
                ResendAll(nowMs);
                _toldMembers = "";
                // At once, whatever was done when.
                (_toldHeardMs, _tendedMs) = (long.MinValue / 2, long.MinValue / 2);
                if (standing.Leads)
                {
                    _expiry.Lead(Tree.Sessions.Select(static s => (s.Key, s.Value.TimeoutMs)), nowMs);
                    _passedMs = nowMs;
                    FoundOwn();
                }
                else
                {
                    _expiry.Lead([], nowMs);
                }
            }
            if (standing.Leads)
            {
                Lead(nowMs);
            }
            else if (standing.LeaderId != 0 && (_heard.Count > 0 || _untold.Count > 0 || _local.Count > 0)
                && nowMs - _toldHeardMs > TellHeardMs - (TickMs / 2))
            {
                TellHeard(standing.LeaderId, nowMs);
            }
            // Who has slept asks the leader first whether they are in contact still.
            bool slept = nowMs - _tickedMs > TendIdleMs;
            _tickedMs = nowMs;
            if (IsTendingDue(nowMs))
            {
                Tend(nowMs, slept);
            }
            _effects.Barriers.AddRange(_barriersAgain.Where(static b => b.Connection.State == ConnectionState.Open));
            _barriersAgain.Clear();
            effects = TakeEffects();
        }
        Do(effects);
    }

    /// <summary>Takes what another member says.</summary>
    public void ReceiveAside(ulong from, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }
        switch (bytes.Span[0])
        {
            case WriteQueue.AsideKind:
                _queue.Receive(from, bytes[1..]);
                break;
            case TouchAside when bytes.Length >= 9:
                Touched(from, bytes.Span[1..]);
                break;
            case TouchedAside when bytes.Length == 9:
                lock (_gate)
                {
                    InContact(BinaryPrimitives.ReadInt64BigEndian(bytes.Span[1..]));
                }
                break;
            default:
                // A later version's.
                break;
        }
    }

    private bool IsCutOff(long nowMs) => _consensus.Standing.LeaderId == 0 && nowMs - Math.Max(_leaderSeenMs, _contactMs) > CutOffAfterMs;

    private void Lead(long nowMs)
    {
        _contactMs = nowMs;
        foreach (long sessionId in _heard)
        {
            _expiry.Touch(sessionId, nowMs);
        }
        _heard.Clear();
        _untold.Clear();
        TellMembers();
        foreach (long sessionId in _expiry.Expired(nowMs))
        {
            if (Tree.Sessions.TryGetValue(sessionId, out Session? session))
            {
                _figures.ExpiredSessions++;
                // Asked for again only if this is lost.
                _expiry.Set(sessionId, LongestResendMs, nowMs);
                Submit(Write.Expire(sessionId, session.Epoch));
            }
            else
            {
                _expiry.Remove(sessionId);
            }
        }
        if (nowMs - _passedMs >= PassedEveryMs)
        {
            _passedMs = nowMs;
            foreach (string path in Tree.Passed(_options.WallMs(), MaxPassedAtOnce))
            {
                Submit(Write.Passed(path));
            }
        }
    }

    // Clients that look for all servers find them at getConfig's node, under the version at which they became so.
    private void TellMembers()
    {
        string members = _consensus.Members;
        if (ReferenceEquals(members, _toldMembers) || members.Length == 0)
        {
            return;
        }
        _toldMembers = members;
        Tree.GetData(Caller.Own, ConfigPath, out GetDataResponse told);
        if (!Encoding.UTF8.GetString(told.Data.GetValueOrDefault().Span).StartsWith(members + "\nversion=", StringComparison.Ordinal))
        {
            string text = string.Create(CultureInfo.InvariantCulture, $"{members}\nversion={Tree.LastZxid:x}");
            Submit(Write.Own(OpCode.SetData, new SetDataRequest(ConfigPath, Encoding.UTF8.GetBytes(text), -1)));
        }
    }

    // The cluster's own place in the tree; others read it.
    private void FoundOwn()
    {
        if (Tree.Exists(OwnPath, out _) == ErrorCode.NoNode)
        {
            Submit(Write.Own(OpCode.Create, new CreateRequest(OwnPath, ReadOnlyMemory<byte>.Empty, OwnAcl, 0)));
        }
    }

    private void TellHeard(ulong leader, long nowMs)
    {
        _toldHeardMs = nowMs;
        _touchNumber++;
        foreach (long sessionId in _heard)
        {
            _untold[sessionId] = _touchNumber;
        }
        _heard.Clear();
        byte[] bytes = new byte[9 + (_untold.Count * 8)];
        bytes[0] = TouchAside;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), _touchNumber);
        int at = 9;
        foreach (long sessionId in _untold.Keys)
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(at), sessionId);
            at += 8;
        }
        _touches.Enqueue((_touchNumber, nowMs));
        if (_touches.Count > 64)
        {
            _touches.Dequeue();
        }
        _effects.Asides.Add((leader, bytes));
    }

    private void Touched(ulong from, ReadOnlySpan<byte> bytes)
    {
        Effects effects;
        lock (_gate)
        {
            if (!_seen.Leads)
            {
                return;
            }
            long nowMs = _options.NowMs();
            for (ReadOnlySpan<byte> rest = bytes[8..]; rest.Length >= 8; rest = rest[8..])
            {
                _expiry.Touch(BinaryPrimitives.ReadInt64BigEndian(rest), nowMs);
            }
            _effects.Asides.Add((from, [TouchedAside, .. bytes[..8]]));
            effects = TakeEffects();
        }
        Do(effects);
    }

    private void InContact(long number)
    {
        while (_touches.TryPeek(out (long Number, long SentMs) touch) && touch.Number <= number)
        {
            _touches.Dequeue();
            _contactMs = Math.Max(_contactMs, touch.SentMs);
        }
        foreach ((long sessionId, long heard) in _untold)
        {
            if (heard <= number)
            {
                _untold.Remove(sessionId);
            }
        }
    }

    private void ResendAll(long nowMs)
    {
        foreach (Connection connection in _connections)
        {
            if (connection.ResendAfterMs > 0)
            {
                connection.ResendAfterMs = LeastResendMs;
                Resend(connection, nowMs);
            }
        }
    }

    private void Resend(Connection connection, long nowMs)
    {
        connection.SentMs = nowMs;
        if (connection.AttachWrite is { } attach)
        {
            Submit(attach);
        }
        foreach (PendingRequest request in connection.Pending)
        {
            if (request is { IsSent: true, Write: { } write })
            {
                Submit(write);
            }
        }
    }

    // Thousands of connections that only ping need no look five times a second.
    private bool IsTendingDue(long nowMs) =>
        _figures.Outstanding > 0 || _attaching.Count > 0 || nowMs - _contactMs > MemberOptions.LeastTimeoutMs / 3 || nowMs - _tendedMs >= TendIdleMs;

    // Looks at each connection: who waits for an answer for too long, who is cut off with us, who never said what it wants.
    private void Tend(long nowMs, bool slept)
    {
        _tendedMs = nowMs;
        List<Connection>? over = null;
        foreach (Connection connection in _connections)
        {
            if (connection.ResendAfterMs > 0 && nowMs - connection.SentMs >= connection.ResendAfterMs)
            {
                connection.ResendAfterMs = Math.Min(LongestResendMs, connection.ResendAfterMs * 2);
                Resend(connection, nowMs);
            }
            bool isOver = connection.State switch
            {
                ConnectionState.New or ConnectionState.Attaching => nowMs - connection.BegunMs > HandshakeMs,
                ConnectionState.Open when connection.IsReadOnly => !IsCutOff(nowMs) || nowMs - connection.HeardMs > connection.TimeoutMs,
                // Its session goes on elsewhere, if it is told soon enough.
                ConnectionState.Open => !slept && nowMs - _contactMs > connection.TimeoutMs / 3,
                _ => false,
            };
            if (isOver)
            {
                (over ??= []).Add(connection);
            }
            else if (connection.Pending.Count >= MaxPending || _figures.OutstandingSizeBytes >= MaxPendingBytes / 2)
            {
                MarkDirty(connection);
            }
        }
        foreach (Connection connection in over ?? [])
        {
            Close(connection);
        }
    }
}

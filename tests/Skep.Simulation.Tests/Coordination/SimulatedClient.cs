using System.Buffers;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>
/// A client of the service as ZooKeeper's clients are: one session over many connections, pings, watches that are set again at each of
/// them. It checks the order of what it is shown.
/// </summary>
internal sealed class SimulatedClient(Service service, int number)
{
    private const int AuthXid = -4;
    private const int SetWatchesXid = -8;
    private const int PingXid = -2;
    private const int EventXid = -1;
    private readonly World _world = service.World;
    private readonly double _clockRate = 1 + (0.02 * ((2 * service.World.Random.NextDouble()) - 1));
    private readonly int _pingsATimeout = 3 + service.World.Random.Next(4);
    private readonly bool _hasPassword = service.World.Random.Next(2) == 0;
    private readonly bool _mayBeReadOnly = service.World.Random.Next(2) == 0;
    private readonly Queue<Request> _asked = new();
    private readonly List<int> _unknown = [];
    private readonly Queue<Action> _unread = new();
    private byte[] _received = [];
    private byte[] _password = new byte[16];
    private int _xid;
    private int _life;
    private long _heardUs;
    private long _sentUs;
    private long _begunUs;

    public int Number => number;

    public Link? Link { get; private set; }

    public Watches Watches { get; } = new(service.Truth);

    public int TimeoutMs { get; } = 4_000 + (1_000 * service.World.Random.Next(7));

    public bool IsLinearizable { get; } = service.ReadsAreLinearizable || service.World.Random.Next(2) == 0;

    /// <summary>Whether its reads show all that was committed when it asked.</summary>
    public bool ReadsAreFresh => IsLinearizable && !IsReadOnly;

    /// <summary>Whether it has a session of one member alone.</summary>
    public bool IsReadOnly { get; private set; }

    public long SessionId { get; private set; }

    public long LastZxid { get; private set; }

    public bool IsOpen { get; private set; }

    /// <summary>Whether its process stands still: it sends nothing and reads nothing.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>When its session is over if it says nothing more, as its leader may see it.</summary>
    public long EndsUs => _sentUs + (1000L * TimeoutMs);

    public long AwakeSinceUs { get; private set; }

    public bool IsOver { get; private set; }

    public int Waiting => _asked.Count;

    /// <summary>Sessions it had before this one.</summary>
    public int Sessions { get; private set; }

    /// <summary>Connections that it had a session on.</summary>
    public int Connections { get; private set; }

    public int Answers { get; private set; }

    /// <summary>Its session is new: what it had of the one before is gone.</summary>
    public Action SessionBegan { get; set; } = static () => { };

    /// <summary>A connection has its session.</summary>
    public Action Opened { get; set; } = static () => { };

    public void Start()
    {
        Connect();
        Keep(++_life);
    }

    public void FallSilent(long untilUs)
    {
        if (IsSilent || IsOver)
        {
            return;
        }
        IsSilent = true;
        _life++;
        _world.Say(() => $"client {number} falls silent");
        _world.At(untilUs, () =>
        {
            if (!IsOver)
            {
                (IsSilent, AwakeSinceUs) = (false, _world.NowUs);
                _world.Say(() => $"client {number} goes on");
                Keep(++_life);
                while (_unread.TryDequeue(out Action? read))
                {
                    read();
                }
            }
        });
    }

    /// <summary>Does nothing more, for good.</summary>
    public void Vanish()
    {
        (IsOver, IsSilent) = (true, true);
        _life++;
    }

    /// <summary>Ends its session and its connection.</summary>
    public void Finish()
    {
        if (IsOpen)
        {
            Ask(OpCode.CloseSession, static (ref JuteWriter _) => { }, (_, _) => { });
        }
        IsOver = true;
        _life++;
    }

    /// <summary>Asks on the connection; only where it has its session.</summary>
    public void Ask(OpCode op, BodyWriter body, Action<ReplyHeader, ReadOnlyMemory<byte>> answered, Action? lost = null, int value = 0, long? freshSince = null) =>
        Ask(++_xid, op, body, answered, lost, value, freshSince);

    /// <summary>An answer must be one of these.</summary>
    public void Expect(ReplyHeader header, string path, params ReadOnlySpan<ErrorCode> expected)
    {
        if (!expected.Contains((ErrorCode)header.Err))
        {
            throw new SimulationFailure("answers", $"client {number} is answered {(ErrorCode)header.Err} for {path}; expected {string.Join(" or ", expected.ToArray())}");
        }
    }

    public void Received(Link link, byte[] bytes)
    {
        if (IsSilent)
        {
            // The network keeps it for who stands still.
            _unread.Enqueue(() => Received(link, bytes));
            return;
        }
        if (link != Link)
        {
            return;
        }
        _heardUs = _world.NowUs;
        _received = [.. _received, .. bytes];
        var sequence = new ReadOnlySequence<byte>(_received);
        while (link == Link && JuteFrame.TryRead(ref sequence, JuteFrame.DefaultMaxBytes, out ReadOnlySequence<byte> frame))
        {
            Take(frame.First);
        }
        _received = link == Link ? sequence.ToArray() : [];
    }

    public void Lost(Link link)
    {
        if (IsSilent)
        {
            _unread.Enqueue(() => Lost(link));
        }
        else if (link == Link)
        {
            Drop();
        }
    }

    private void Ask(int xid, OpCode op, BodyWriter body, Action<ReplyHeader, ReadOnlyMemory<byte>> answered, Action? lost, int value, long? freshSince)
    {
        _asked.Enqueue(new Request
        {
            Xid = xid,
            Op = op,
            Answered = answered,
            Lost = lost,
            Value = value,
            IsFresh = freshSince is not null,
            ShownZxid = freshSince ?? 0,
        });
        Send(JuteFrame.Make(output =>
        {
            var writer = new JuteWriter(output);
            new RequestHeader(xid, (int)op).Write(ref writer);
            body(ref writer);
        }));
    }

    private void Send(byte[] frame)
    {
        _sentUs = _world.NowUs;
        if (_world.Random.Next(8) == 0)
        {
            // As the network may cut it.
            int at = _world.Random.Next(frame.Length);
            Link!.Send(frame[..at]);
            frame = frame[at..];
        }
        Link!.Send(frame);
    }

    private void Connect()
    {
        (IsOpen, IsReadOnly) = (false, false);
        _received = [];
        _begunUs = _heardUs = _sentUs = _world.NowUs;
        // It knows who is in the group, mostly.
        SimulatedNode[] servers = [.. _world.Random.Next(8) == 0 ? _world.Nodes : service.Membership.Wanted];
        Link = new Link(service, this, servers[_world.Random.Next(servers.Length)]);
        _world.Say(() => $"client {number} connects to {Link.NodeId}");
        long seen = service.Options.Mistake == Mistake.OlderReadOnly ? 0 : LastZxid;
        Send(JuteFrame.Make(output => JuteFrame.Put(output, new ConnectRequest(0, seen, TimeoutMs, SessionId, _password, _mayBeReadOnly))));
    }

    private void Drop()
    {
        _world.Say(() => $"client {number} loses its connection");
        Link!.Close();
        Link = null;
        (IsOpen, IsReadOnly) = (false, false);
        while (_asked.TryDequeue(out Request? lost))
        {
            if (lost.Value != 0)
            {
                _unknown.Add(lost.Value);
            }
            lost.Lost?.Invoke();
        }
        int life = _life;
        _world.At(_world.NowUs + 10_000 + _world.Random.Next(300_000), () =>
        {
            if (life == _life && Link is null && !IsSilent && !IsOver)
            {
                Connect();
            }
        });
    }

    // Looks at its own clock from time to time.
    private void Keep(int life) => _world.At(_world.NowUs + 50_000, () =>
    {
        if (life != _life)
        {
            return;
        }
        long timeoutUs = (long)(1000L * TimeoutMs / _clockRate);
        if (Link is null)
        {
            if (_world.NowUs - _begunUs > timeoutUs)
            {
                Connect();
            }
        }
        else if (_world.NowUs - (IsOpen ? _heardUs : _begunUs) > (IsOpen ? timeoutUs * 2 / 3 : Math.Max(1_000_000, timeoutUs / 3)))
        {
            Drop();
        }
        else if (IsOpen && _world.NowUs - _sentUs > (timeoutUs / _pingsATimeout) - 50_000)
        {
            Send(JuteFrame.Make(output => JuteFrame.Put(output, new RequestHeader(PingXid, (int)OpCode.Ping))));
        }
        Keep(life);
    });

    private void Take(ReadOnlyMemory<byte> frame)
    {
        var reader = new JuteReader(frame);
        if (!IsOpen)
        {
            Take(ConnectResponse.Read(ref reader));
            return;
        }
        ReplyHeader header = ReplyHeader.Read(ref reader);
        if (header.Xid == EventXid)
        {
            WatcherEvent happened = WatcherEvent.Read(ref reader);
            _world.Say(() => $"client {number} hears of {happened.Type} at {happened.Path}");
            Watches.Fired(number, happened);
            return;
        }
        if (header.Zxid > 0)
        {
            if (header.Zxid < LastZxid)
            {
                throw new SimulationFailure("monotonic reads", $"client {number} was shown zxid {LastZxid} and then {header.Zxid}");
            }
            LastZxid = header.Zxid;
            service.ShownZxid = Math.Max(service.ShownZxid, header.Zxid);
            Watches.Shown(number, header.Zxid);
        }
        if (header.Xid != PingXid)
        {
            TakeAnswer(header, frame[^reader.Remaining..]);
        }
    }

    private void TakeAnswer(ReplyHeader header, ReadOnlyMemory<byte> body)
    {
        if (!_asked.TryDequeue(out Request? asked) || asked.Xid != header.Xid)
        {
            throw new SimulationFailure("order of answers", $"client {number} is answered {header.Xid}, and waits for {(asked is null ? "nothing" : $"{asked.Xid}, {asked.Op}")}");
        }
        if (asked.IsFresh && header.Zxid < asked.ShownZxid)
        {
            throw new SimulationFailure("freshness", $"client {number} asked for {asked.Op} when zxid {asked.ShownZxid} had been shown, and is answered as of {header.Zxid}");
        }
        Answers++;
        service.Answers++;
        asked.Answered(header, body);
    }

    private void Take(ConnectResponse answer)
    {
        if (answer.TimeoutMs == 0)
        {
            Expired();
            return;
        }
        if (SessionId != 0 && answer.SessionId != SessionId)
        {
            throw new SimulationFailure("sessions", $"client {number} asked for session {SessionId:x} and is given {answer.SessionId:x}");
        }
        bool isNew = SessionId == 0;
        (IsOpen, IsReadOnly) = (true, answer.ReadOnly == true);
        Connections++;
        if (IsReadOnly)
        {
            BeginReadOnly(isNew);
            return;
        }
        (SessionId, _password) = (answer.SessionId, answer.Password.GetValueOrDefault().ToArray());
        _world.Say(() => $"client {number} has session {SessionId:x} at {Link!.NodeId}");
        foreach (int value in _unknown.Where(v => !service.Truth.IsDone(v)))
        {
            service.Truth.Forbid(value);
        }
        _unknown.Clear();
        Prove();
        if (isNew)
        {
            SessionBegan();
        }
        RenewWatches();
        Opened();
    }

    // What it had of its session it has still, elsewhere; what it asks for here is not of it.
    private void BeginReadOnly(bool isNew)
    {
        _world.Say(() => $"client {number} may read at {Link!.NodeId}");
        if (!_mayBeReadOnly)
        {
            throw new SimulationFailure("read-only", $"client {number} is given a session that cannot write, and did not ask for one");
        }
        service.ReadOnlyConnections++;
        Prove();
        if (isNew)
        {
            SessionBegan();
        }
        RenewWatches();
    }

    private void Prove()
    {
        if (_hasPassword)
        {
            Ask(AuthXid, OpCode.Auth, static (ref JuteWriter w) => new AuthPacket(0, "digest", "bee:honey"u8.ToArray()).Write(ref w), (_, _) => { }, null, 0, null);
        }
        if (IsLinearizable && !service.ReadsAreLinearizable)
        {
            Ask(AuthXid, OpCode.Auth, static (ref JuteWriter w) => new AuthPacket(0, "skep", "reads=linearizable"u8.ToArray()).Write(ref w), (_, _) => { }, null, 0, null);
        }
    }

    private void RenewWatches()
    {
        if (Watches.Renew(LastZxid) is { } set)
        {
            Ask(SetWatchesXid, OpCode.SetWatches2, (ref JuteWriter w) => set.Write(ref w), (header, _) => Watches.Renewed(number, header.Zxid), null, 0, null);
        }
    }

    private void Expired()
    {
        _world.Say(() => $"client {number} is told that session {SessionId:x} expired");
        if (!service.Truth.HasEnded(SessionId))
        {
            throw new SimulationFailure("sessions", $"client {number} is told that session {SessionId:x} is over, and it is not");
        }
        Sessions++;
        (SessionId, LastZxid, _password) = (0, 0, new byte[16]);
        Watches.Clear();
        _unknown.ForEach(service.Truth.Forbid);
        _unknown.Clear();
        Drop();
    }
}

internal delegate void BodyWriter(ref JuteWriter writer);

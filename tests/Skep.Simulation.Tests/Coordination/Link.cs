using System.Buffers;
using System.Buffers.Binary;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>A connection between a client and one life of a member: bytes in order, after some time, until it breaks.</summary>
internal sealed class Link : IClientLink
{
    private static readonly ConnectionPeer Peer = new("10.0.0.1", "10.0.0.1:1", [new AclId("ip", "10.0.0.1")], MayProveByPassword: true);
    private const long CutOffUs = (long)(2_000_000 * (1 - Service.Drift));
    private const long NoLeaderUs = 5_000_000;
    private const long GraceUs = 1_000_000;
    private readonly Service _service;
    private readonly SimulatedClient _client;
    private readonly SimulatedNode _node;
    private readonly int _life;
    private MemberState? _member;
    private byte[] _rest = [];
    private long _upUs;
    private long _downUs;
    private bool _isGone;
    private bool _isReadOnly;

    public Link(Service service, SimulatedClient client, SimulatedNode node)
    {
        (_service, _client, _node, _life) = (service, client, node, node.Life);
        AtMember(() =>
        {
            _member = (MemberState)_node.State;
            Connection = _member.Member.Accept(this, Peer);
        });
    }

    public ulong NodeId => _node.Id;

    /// <summary>The member's end; null before it took the connection in.</summary>
    public Connection? Connection { get; private set; }

    /// <summary>When the member last heard the client, in true time.</summary>
    public long HeardUs { get; private set; }

    /// <summary>Whether nothing passes any more, without anybody being told.</summary>
    public bool IsCut { get; set; }

    /// <summary>Whether the member that it leads to is the one that it began with, and runs.</summary>
    public bool HasMember => _node.IsUp && _node.Life == _life;

    public void Send(byte[] bytes) => AtMember(() => Arrived(bytes));

    /// <summary>The client lets go of it.</summary>
    public void Close() => AtMember(Detach);

    /// <summary>Both ends are told that it broke.</summary>
    public void Break()
    {
        AtClient(() => _client.Lost(this));
        AtMember(Detach);
    }

    void IClientLink.Wake(bool here) => Pump();

    private void AtMember(Action act)
    {
        _upUs = Math.Max(_upUs, _service.World.NowUs + Delay());
        _service.World.At(_upUs, () =>
        {
            if (IsCut)
            {
                return;
            }
            if (!HasMember)
            {
                // Nobody listens there any more.
                AtClient(() => _client.Lost(this));
                return;
            }
            _service.World.At(_service.World.NowUs, _node, _life, act);
        });
    }

    private void AtClient(Action act)
    {
        _downUs = Math.Max(_downUs, _service.World.NowUs + Delay());
        _service.World.At(_downUs, () =>
        {
            if (!IsCut)
            {
                act();
            }
        });
    }

    private long Delay() => _service.World.Spread(_service.ClientLatencyUs);

    private void Arrived(byte[] bytes)
    {
        if (Connection is not { } connection || _isGone)
        {
            return;
        }
        HeardUs = _service.World.NowUs;
        byte[] all = [.. _rest, .. bytes];
        var sequence = new ReadOnlySequence<byte>(all);
        _member!.Member.Receive(connection, ref sequence);
        if (_node.PausedUntilUs < HeardUs - GraceUs)
        {
            CheckReadOnly(connection);
            CheckIsLetGo(connection);
        }
        _rest = sequence.ToArray();
        Pump();
    }

    // A session of one member alone is for those who would have none otherwise, and for all of them who ask.
    private void CheckReadOnly(Connection connection)
    {
        long nowUs = _service.World.NowUs;
        // What a leader of the past said is heard first by who stood still.
        if (connection is { State: ConnectionState.Attaching, Asked.ReadOnly: true } && nowUs - Math.Max(_service.LedUs, Math.Max(_member!.BornUs, _node.PausedUntilUs)) > NoLeaderUs)
        {
            throw new SimulationFailure("read-only", $"member {NodeId} leaves client {_client.Number} waiting, which would be content to read; nobody has led for {(nowUs - _service.LedUs) / 1000} ms");
        }
        if (connection is not { IsReadOnly: true, State: ConnectionState.Open })
        {
            return;
        }
        (bool hasLeader, long us) = _member!.LedSince;
        bool isNew = !_isReadOnly;
        _isReadOnly = true;
        if (isNew ? hasLeader || nowUs - us < CutOffUs : hasLeader && nowUs - us > GraceUs)
        {
            throw new SimulationFailure("read-only", $"member {NodeId} serves client {_client.Number} alone, and has {(hasLeader ? "had a" : "been without a")} leader for {(nowUs - us) / 1000} ms");
        }
    }

    private void CheckIsLetGo(Connection connection)
    {
        long nowUs = _service.World.NowUs;
        if (connection is { IsReadOnly: false, State: ConnectionState.Open } && nowUs - Math.Max(_service.Truth.LeftUs(NodeId) ?? nowUs, _node.PausedUntilUs) is var us && us > NoLeaderUs + (1000L * connection.TimeoutMs / 3))
        {
            throw new SimulationFailure("members", $"member {NodeId} has left for {us / 1000} ms, and still serves client {_client.Number}");
        }
    }

    private void Detach()
    {
        if (Connection is { } connection && !_isGone)
        {
            _isGone = true;
            _member!.Member.Detach(connection);
        }
    }

    private void Pump()
    {
        if (Connection is not { } connection || _isGone)
        {
            return;
        }
        (byte[] buffer, int length) = _member!.Member.TakeOutput(connection);
        if (length > 0)
        {
            byte[] bytes = buffer[..length];
            ArrayPool<byte>.Shared.Return(buffer);
            if (_service.Options.Mistake == Mistake.EventsAfterAnswers)
            {
                bytes = EventsLast(bytes);
            }
            AtClient(() => _client.Received(this, bytes));
        }
        if (connection.State >= ConnectionState.Closing)
        {
            Detach();
            AtClient(() => _client.Lost(this));
        }
    }

    private static byte[] EventsLast(byte[] bytes)
    {
        List<byte> answers = [], events = [];
        for (ReadOnlySpan<byte> rest = bytes; rest.Length > 0;)
        {
            int length = 4 + BinaryPrimitives.ReadInt32BigEndian(rest);
            (BinaryPrimitives.ReadInt32BigEndian(rest[4..]) == -1 ? events : answers).AddRange(rest[..length]);
            rest = rest[length..];
        }
        return [.. answers, .. events];
    }
}

using System.Collections;
using System.Reflection;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Tests;

/// <summary>What members do that the simulation of whole groups found wanting.</summary>
public sealed class Members
{
    private readonly FakeGroup _group = new();

    [Fact]
    public void A_follower_keeps_no_deadline_of_a_session_that_ended_within_a_snapshot()
    {
        _group.Standing = new Standing(2, 1, Leads: false, 3);
        _group.Tick(0);
        _group.Connect();
        Restore(ZnodeTree.New().Capture());
        Assert.Equal(0, Deadlines());
    }

    [Fact]
    public void Who_led_once_keeps_no_deadlines()
    {
        _group.Standing = new Standing(1, 1, Leads: true, 3);
        _group.Tick(0);
        _group.Connect();
        Assert.Equal(1, Deadlines());
        _group.Standing = new Standing(2, 2, Leads: false, 3);
        _group.Tick(Member.TickMs);
        Assert.Equal(0, Deadlines());
    }

    [Fact]
    public void Whom_a_follower_heard_it_tells_again_until_the_leader_says_that_it_knows()
    {
        _group.Standing = new Standing(2, 1, Leads: false, 3);
        _group.Tick(0);
        Connection client = _group.Connect();
        _group.Ping(client);
        _group.Tick(2 * Member.TickMs);
        _group.Tick(2 * Member.TickMs);
        Assert.Equal([client.SessionId], Told(_group.Asides[^2]));
        Assert.Equal([client.SessionId], Told(_group.Asides[^1]));

        _group.Member.ReceiveAside(2, (byte[])[3, .. _group.Asides[^1].AsSpan(1, 8)]);
        _group.Tick(2 * Member.TickMs);
        Assert.Empty(Told(_group.Asides[^1]));
    }

    [Fact]
    public void Who_connects_to_a_follower_that_slept_stays_while_it_asks_its_leader()
    {
        const int Idle = 2_000;
        _group.Standing = new Standing(2, 1, Leads: false, 3);
        _group.Tick(0);
        Connection client = _group.Connect(timeoutMs: 4_000);
        _group.Tick(Idle);
        Assert.Equal(ConnectionState.Open, client.State);

        _group.Member.ReceiveAside(2, (byte[])[3, .. _group.Asides[^1].AsSpan(1, 8)]);
        _group.Tick(Member.TickMs);
        Assert.Equal(ConnectionState.Open, client.State);
    }

    [Fact]
    public void A_ping_that_overtakes_what_waits_names_no_zxid()
    {
        _group.Standing = new Standing(1, 1, Leads: true, 1);
        _group.Tick(0);
        Connection client = _group.Connect();
        _group.Ask(client, -8, OpCode.Sync, new PathRequest("/"));
        _group.Ping(client);
        Assert.Equal([new ReplyHeader(-2, 0, 0)], _group.Read(client));

        _group.Reads.ForEach(static done => done(true));
        _group.Ping(client);
        Assert.All(_group.Read(client), static header => Assert.True(header.Zxid > 0, $"{header}"));
    }

    [Fact]
    public void The_answer_to_a_proof_names_no_zxid()
    {
        _group.Standing = new Standing(1, 1, Leads: true, 1);
        _group.Tick(0);
        Connection client = _group.Connect();
        _group.Ask(client, -4, OpCode.Auth, new AuthPacket(0, "digest", "bee:honey"u8.ToArray()));
        _group.ApplyAll();
        Assert.Equal([new ReplyHeader(-4, 0, 0)], _group.Read(client));
    }

    private static long[] Told(byte[] aside) =>
        [.. Enumerable.Range(0, (aside.Length - 9) / 8).Select(i => System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(aside.AsSpan(9 + (i * 8))))];

    private void Restore(TreeSnapshot snapshot)
    {
        using var stream = new MemoryStream();
        snapshot.WriteTo(stream);
        stream.Position = 0;
        _group.Member.Restore(stream);
    }

    private int Deadlines()
    {
        const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic;
        object expiry = typeof(Member).GetField("_expiry", Fields)!.GetValue(_group.Member)!;
        return ((ICollection)expiry.GetType().GetField("_deadlines", Fields)!.GetValue(expiry)!).Count;
    }
}

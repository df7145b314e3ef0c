using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests;

public sealed class A_members_clients
{
    private static readonly Standing Led = new(2, 1, Leads: false, 3);
    private readonly FakeGroup _group = new() { Standing = Led };

    private static CreateRequest Node(string path) => new(path, Encoding.UTF8.GetBytes("x"), Trees.Open, 0);

    [Fact]
    public void Are_answered_in_their_order_also_where_a_read_could_be_answered_sooner()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Create, Node("/a"));
        _group.Ask(client, 2, OpCode.Exists, new PathWatchRequest("/a", false));
        Assert.Empty(_group.Read(client));

        _group.ApplyAll();
        Assert.Equal([(1, 0), (2, 0)], _group.Read(client).Select(static h => (h.Xid, h.Err)));
    }

    [Fact]
    public void Hear_of_a_ping_at_once_whatever_else_waits()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Create, Node("/a"));
        _group.Ping(client);
        Assert.Equal([-2], _group.Read(client).Select(static h => h.Xid));
    }

    [Fact]
    public void Have_a_write_done_once_that_was_sent_to_two_leaders()
    {
        Connection client = _group.Connect();
        _group.Tick(0);
        _group.Ask(client, 1, OpCode.Create2, new CreateRequest("/n-", null, Trees.Open, 2));
        _group.Standing = new Standing(3, 2, Leads: false, 3);
        _group.Tick(Member.TickMs);
        Assert.Equal(2, _group.Commands.Count);

        _group.ApplyAll();
        Assert.Equal([1], _group.Read(client).Select(static h => h.Xid));
        Assert.Equal(1, _group.Member.Look(static v => { v.Tree.Exists("/", out Stat root); return root.NumChildren; }) - 1);
    }

    [Fact]
    public void Have_what_is_unanswered_sent_again_when_nothing_moves()
    {
        _group.Tick(0);
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Create, Node("/a"));
        _group.Commands.Clear();
        _group.Tick(900);
        Assert.Empty(_group.Commands);
        _group.Tick(200);
        Assert.Single(_group.Commands);
    }

    [Fact]
    public void Have_their_writes_held_back_behind_a_read_that_waits_for_the_leader()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Sync, new PathRequest("/"));
        _group.Ask(client, 2, OpCode.Create, Node("/a"));
        Assert.Empty(_group.Commands);
        Assert.Empty(_group.Read(client));

        _group.Reads.Single()(true);
        Assert.Equal([1], _group.Read(client).Select(static h => h.Xid));
        Assert.Single(_group.Commands);
    }

    [Fact]
    public void Wait_on_where_no_leader_answers_a_sync()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Sync, new PathRequest("/"));
        _group.Reads.Single()(false);
        Assert.Empty(_group.Read(client));
        _group.Tick(Member.TickMs);
        _group.Reads[^1](true);
        Assert.Equal([1], _group.Read(client).Select(static h => h.Xid));
    }

    [Fact]
    public void Are_let_go_while_they_have_time_to_go_elsewhere_when_no_leader_is_reached()
    {
        Connection client = _group.Connect(timeoutMs: 6_000);
        _group.Tick(1_900);
        Assert.Equal(ConnectionState.Open, client.State);
        _group.Tick(200);
        Assert.Equal(ConnectionState.Closing, client.State);
    }

    [Fact]
    public void May_read_and_not_write_at_a_member_that_is_cut_off_if_they_said_so()
    {
        _group.Standing = default;
        _group.Tick(3_000);
        Connection client = _group.ConnectReadOnly();
        Assert.Equal(ConnectionState.Open, client.State);
        _group.Ask(client, 1, OpCode.Exists, new PathWatchRequest("/zookeeper", false));
        _group.Ask(client, 2, OpCode.Create, Node("/a"));
        Assert.Equal([(1, 0), (2, (int)ErrorCode.NotReadOnly)], _group.Read(client).Select(static h => (h.Xid, h.Err)));

        _group.Standing = Led;
        _group.Tick(Member.TickMs);
        Assert.Equal(ConnectionState.Closing, client.State);
    }

    [Fact]
    public void Keep_their_connection_when_a_request_cannot_be_read()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Create, new PathRequest("/a"));
        _group.Ask(client, 2, OpCode.AddWatch, new AddWatchRequest("/a", 7));
        Assert.Equal([(1, -5), (2, -5)], _group.Read(client).Select(static h => (h.Xid, h.Err)));
        Assert.Equal(ConnectionState.Open, client.State);
    }

    [Fact]
    public void Are_read_from_no_more_while_a_thousand_of_their_requests_wait()
    {
        Connection client = _group.Connect();
        for (int i = 1; i <= 1_000; i++)
        {
            Assert.False(_group.Member.IsFull(client));
            _group.Ask(client, i, OpCode.Create, Node($"/n{i}"));
        }
        Assert.True(_group.Member.IsFull(client));
        _group.ApplyAll();
        Assert.Equal(1_000, _group.Read(client).Count);
        Assert.False(_group.Member.IsFull(client));
    }

    [Fact]
    public void Are_let_go_when_they_read_none_of_the_events_they_asked_for()
    {
        Connection sleeper = _group.Connect();
        Connection writer = _group.Connect();
        string path = "/" + new string('p', 60_000);
        _group.Ask(writer, 1, OpCode.Create, Node(path));
        _group.Ask(sleeper, 1, OpCode.AddWatch, new AddWatchRequest(path, 0));
        for (int i = 0; sleeper.State == ConnectionState.Open; i++)
        {
            Assert.InRange(i, 0, 1_000);
            _group.Ask(writer, i + 2, OpCode.SetData, new SetDataRequest(path, null, -1));
            _group.ApplyAll();
        }
        Assert.Equal(ConnectionState.Open, writer.State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Are_let_go_with_a_line_in_the_log_when_a_request_is_longer_than_is_taken(int over)
    {
        var group = new FakeGroup(static o => o with { MaxFrameBytes = 2_000 }) { Standing = Led };
        Connection client = group.Connect();
        const int Around = 8 + 4 + 2 + 4 + 4;
        group.Ask(client, 1, OpCode.SetData, new SetDataRequest("/a", new byte[2_000 - Around + over], -1));
        Assert.Equal(over == 0 ? ConnectionState.Open : ConnectionState.Closing, client.State);
        Assert.Equal(over, group.Member.Look(static v => v.Figures.BadFrames));
        Assert.Equal(
            over == 0 ? [] : ["Warning: The coordination client at 10.0.0.1:1 was let go: a frame says it has 2001 bytes; 0 to 2000 are taken (jute.maxbuffer)"],
            group.Log.Lines);
    }

    [Fact]
    public void Are_let_go_when_they_prove_who_they_are_by_more_than_anybody_has_to_say()
    {
        Connection client = _group.Connect();
        _group.Ask(client, -4, OpCode.Auth, new AuthPacket(0, "digest", Enumerable.Repeat((byte)0xff, 70_000).ToArray()));
        Assert.Equal([(-4, (int)ErrorCode.AuthFailed)], _group.Read(client).Select(static h => (h.Xid, h.Err)));
        Assert.Equal(ConnectionState.Closing, client.State);
        Assert.Empty(_group.Commands);
    }

    [Fact]
    public void Have_no_more_read_than_there_is_room_for_the_answers()
    {
        Connection client = _group.Connect();
        _group.Ask(client, 1, OpCode.Create, new CreateRequest("/large", new byte[900_000], Trees.Open, 0));
        _group.ApplyAll();
        _group.Read(client);
        byte[] gets = [.. Enumerable.Range(2, 100).SelectMany(static xid => JuteFrame.Make(output =>
        {
            JuteFrame.Put(output, new RequestHeader(xid, (int)OpCode.GetData));
            JuteFrame.Put(output, new PathWatchRequest("/large", false));
        }))];
        var rest = new System.Buffers.ReadOnlySequence<byte>(gets);
        var answered = new List<int>();
        while (rest.Length > 0)
        {
            Assert.Equal(_group.Member.Receive(client, ref rest), rest.Length > 0);
            Assert.InRange(client.OutLength, 1, 2_000_000);
            answered.AddRange(_group.Read(client).Select(static h => h.Xid));
        }
        Assert.Equal(Enumerable.Range(2, 100), answered);
    }

    [Fact]
    public void Lose_the_session_that_another_connection_takes_up()
    {
        Connection first = _group.Connect();
        Connection second = _group.Connect(again: first);
        Assert.Equal(first.SessionId, second.SessionId);
        Assert.Equal(ConnectionState.Closing, first.State);
        _group.Ask(second, 1, OpCode.Create, Node("/a"));
        _group.ApplyAll();
        Assert.Equal([1], _group.Read(second).Select(static h => h.Xid));
    }
}

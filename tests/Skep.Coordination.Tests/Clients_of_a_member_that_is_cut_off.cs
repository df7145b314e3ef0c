using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests;

public sealed class Clients_of_a_member_that_is_cut_off
{
    // What bee:honey is in ACLs.
    private static readonly Acl[] Bees = [new(31, new AclId("digest", "bee:0JJI1/0Nylpu4u/dM61X4kpX4v0="))];
    private readonly FakeGroup _group = new() { Standing = new Standing(2, 1, Leads: false, 3) };

    [Fact]
    public void Are_refused_a_sync_which_would_look_as_if_it_had_reached_a_leader()
    {
        CutOff();
        Connection client = _group.ConnectReadOnly();
        _group.Ask(client, 1, OpCode.Sync, new PathRequest("/"));
        Assert.Equal([(1, (int)ErrorCode.NotReadOnly)], _group.Read(client).Select(static h => (h.Xid, h.Err)));
    }

    [Fact]
    public void Are_let_go_where_they_have_seen_more_also_those_who_have_no_session_yet()
    {
        _group.Connect();
        CutOff();
        long lastZxid = _group.Member.Look(static v => v.Tree.LastZxid);
        Assert.Equal(ConnectionState.Open, _group.ConnectReadOnly(lastZxid).State);
        Assert.Equal(ConnectionState.Closing, _group.ConnectReadOnly(lastZxid + 1).State);
    }

    [Fact]
    public void Read_what_they_prove_to_be_allowed_to_on_this_connection()
    {
        Connection owner = _group.Connect();
        Prove(owner);
        _group.Ask(owner, 1, OpCode.Create, new CreateRequest("/bees", null, Bees, 0));
        _group.ApplyAll();
        Assert.Equal([0, 0], _group.Read(owner).Select(static h => h.Err));
        _group.Member.Detach(owner);
        CutOff();

        // Its session proved it on another connection; this one may be anybody's who found the password.
        Connection again = _group.ConnectReadOnly(again: owner);
        Assert.Equal(owner.SessionId, again.SessionId);
        Assert.Equal([(int)ErrorCode.NoAuth], Get(again));
        Prove(again);
        Assert.Equal([0, 0], Get(again));
        Assert.Equal([(int)ErrorCode.NoAuth], Get(_group.ConnectReadOnly()));
    }

    private void CutOff()
    {
        _group.Standing = default;
        _group.Tick(Member.TickMs);
        _group.Tick(3_000);
    }

    private void Prove(Connection client) => _group.Ask(client, -4, OpCode.Auth, new AuthPacket(0, "digest", Encoding.UTF8.GetBytes("bee:honey")));

    private IEnumerable<int> Get(Connection client)
    {
        _group.Ask(client, 2, OpCode.GetData, new PathWatchRequest("/bees", false));
        return _group.Read(client).Select(static h => h.Err);
    }
}

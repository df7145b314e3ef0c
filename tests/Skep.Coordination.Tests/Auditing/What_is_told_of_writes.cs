using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests.Auditing;

public sealed class What_is_told_of_writes
{
    private readonly List<string> _lines = [];
    private readonly FakeGroup _group;
    private readonly Connection _client;

    public What_is_told_of_writes()
    {
        _group = new FakeGroup(o => o with { Audit = _lines.Add }) { Standing = new Standing(1, 1, Leads: true, 1) };
        _group.Tick(0);
        _client = _group.Connect();
        Ask(OpCode.Auth, new AuthPacket(0, "digest", "bee:honey"u8.ToArray()));
    }

    [Fact]
    public void A_read_and_a_proof_are_not_told()
    {
        Ask(OpCode.Exists, new PathWatchRequest("/", false));
        Assert.Empty(_lines);
    }

    [Theory]
    [InlineData(0, "/a", "persistent")]
    [InlineData(1, "/a", "ephemeral")]
    [InlineData(2, "/a0000000001", "persistent_sequential")]
    [InlineData(3, "/a0000000001", "ephemeral_sequential")]
    [InlineData(4, "/a", "container")]
    public void A_create_is_told_with_the_name_that_came_of_it(int flags, string path, string type)
    {
        Ask(flags == 4 ? OpCode.CreateContainer : OpCode.Create, new CreateRequest("/a", null, Trees.Open, flags));
        Assert.Equal($"operation=create\tznode={path}\tznode_type={type}\tresult=success", Only());
    }

    [Fact]
    public void A_node_with_a_time_to_live_is_told_too()
    {
        Ask(OpCode.CreateTtl, new CreateTtlRequest("/a", null, Trees.Open, 5, 1_000));
        Assert.Equal("operation=create\tznode=/a\tznode_type=persistent_with_ttl\tresult=success", Only());
    }

    [Fact]
    public void What_was_refused_is_told_with_the_name_that_was_asked_for()
    {
        Ask(OpCode.Create2, new CreateRequest("/no/a", null, Trees.Open, 2));
        Assert.Equal("operation=create\tznode=/no/a\tznode_type=persistent_sequential\tresult=failure", Only());
        Ask(OpCode.SetData, new SetDataRequest("/no", null, -1));
        Assert.Equal("operation=setData\tznode=/no\tresult=failure", Only());
        Ask(OpCode.Delete, new VersionedPathRequest("/no", -1));
        Assert.Equal("operation=delete\tznode=/no\tresult=failure", Only());
    }

    [Fact]
    public void An_ACL_is_told_without_the_digests_of_passwords()
    {
        Ask(OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        Only();
        Ask(OpCode.SetAcl, new SetAclRequest("/a", [new Acl(31, new AclId("digest", "bee:aaaaaaaaaaaaaaaaaaaaaaaaaaa=")), new Acl(1, new AclId("world", "anyone"))], -1));
        Assert.Equal("operation=setAcl\tznode=/a\tacl=digest:bee:x:cdrwa,world:anyone:r\tresult=success", Only());
    }

    [Fact]
    public void A_multi_is_told_by_its_parts_or_as_one_that_failed()
    {
        Ask(OpCode.Multi, new MultiRequest([Make("/a"), new(OpCode.Check, "/a", null, [], 0, 0, 0), new(OpCode.SetData, "/a", null, [], 0, 0, -1)]));
        Assert.Equal(["operation=create\tznode=/a\tznode_type=persistent\tresult=success", "operation=setData\tznode=/a\tresult=success"], All());
        Ask(OpCode.Multi, new MultiRequest([Make("/b"), Make("/a")]));
        Assert.Equal("operation=multiOperation\tresult=failure", Only());
    }

    [Fact]
    public void Nothing_that_a_client_says_begins_a_line_or_a_value_of_its_own()
    {
        Ask(OpCode.Create, new CreateRequest("/a\nsession=0x1\tuser=queen", null, Trees.Open, 0));
        Assert.Equal("operation=create\tznode=/a\\u000asession=0x1\\u0009user=queen\tznode_type=persistent\tresult=failure", Only());
    }

    [Fact]
    public void Whoever_is_let_go_before_the_answer_has_the_write_told_all_the_same()
    {
        _group.Ask(_client, 1, OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        _group.Ask(_client, 2, OpCode.Auth, new AuthPacket(0, "nothing", null));
        Assert.Equal(ConnectionState.Closing, _client.State);
        _group.ApplyAll();
        Assert.Equal("operation=create\tznode=/a\tznode_type=persistent\tresult=success", Only());
    }

    [Fact]
    public void Whoever_hangs_up_before_the_answer_has_the_writes_told_all_the_same()
    {
        _group.Ask(_client, 1, OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        _group.Ask(_client, 2, OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        _group.Member.Detach(_client);
        _group.ApplyAll();
        string create = "operation=create\tznode=/a\tznode_type=persistent\tresult=";
        Assert.Equal([create + "success", create + "failure"], All());

        _group.Ask(_group.Connect(again: _client), 3, OpCode.SetData, new SetDataRequest("/a", null, -1));
        _group.ApplyAll();
        Assert.Single(_lines);
    }

    [Fact]
    public void What_a_snapshot_hides_is_told_as_unknown()
    {
        _group.Ask(_client, 1, OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        _group.Member.Detach(_client);
        using var snapshot = new MemoryStream();
        _group.Member.Capture().WriteTo(snapshot);
        snapshot.Position = 0;
        _group.Member.Restore(snapshot);
        Assert.Equal("operation=create\tznode=/a\tznode_type=persistent\tresult=unknown", Only());
    }

    [Fact]
    public void Names_that_hold_commas_do_not_look_like_more()
    {
        Ask(OpCode.Auth, new AuthPacket(0, "digest", "a,queen:x"u8.ToArray()));
        Ask(OpCode.Create, new CreateRequest("/a\\u0009", null, Trees.Open, 0));
        Assert.EndsWith("\tuser=bee,a\\u002cqueen\tip=10.0.0.1\toperation=create\tznode=/a\\u005cu0009\tznode_type=persistent\tresult=success", Assert.Single(_lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Ephemerals_are_told_when_their_session_ends()
    {
        Ask(OpCode.Create, new CreateRequest("/a", null, Trees.Open, 1));
        _lines.Clear();
        Ask(OpCode.CloseSession, new PathRequest(""));
        Assert.Equal(
            [$"session=0x{_client.SessionId:x}\tuser={Environment.UserName}\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/a\tresult=success"], _lines);
    }

    private static MultiOp Make(string path) => new(OpCode.Create, path, Encoding.UTF8.GetBytes("x"), Trees.Open, 0, 0, 0);

    private void Ask<T>(OpCode op, T body) where T : IJuteRecord<T>
    {
        _group.Ask(_client, 1, op, body);
        _group.ApplyAll();
    }

    private string Only() => Assert.Single(All());

    // Each line, behind who did it and from where.
    private string[] All()
    {
        string who = $"session=0x{_client.SessionId:x}\tuser=bee\tip=10.0.0.1\t";
        Assert.All(_lines, l => Assert.StartsWith(who, l, StringComparison.Ordinal));
        string[] all = [.. _lines.Select(l => l[who.Length..])];
        _lines.Clear();
        return all;
    }
}

using Skep.Coordination.Tree;
using Skep.Jute;
using static Skep.Coordination.Tests.Trees;

namespace Skep.Coordination.Tests;

public sealed class Znodes
{
    private readonly Trees _t = new();

    [Fact]
    public void Sequential_names_count_the_children_ever_made_and_cversion_counts_removals_too()
    {
        _t.Do(Create("/q"));
        Assert.Equal("/q/n0000000000", _t.Do(Create("/q/n", 2)).Path);
        Assert.Equal("/q/n0000000001", _t.Do(Create("/q/n", 3)).Path);
        Assert.Equal(2, _t.Stat("/q").Cversion);
        _t.Do(Delete("/q/n0000000000"));
        Assert.Equal(3, _t.Stat("/q").Cversion);
        Assert.Equal("/q/n0000000002", _t.Do(Create("/q/n", 2)).Path);
    }

    [Fact]
    public void A_sessions_end_removes_its_ephemerals_and_nothing_else()
    {
        _t.Do(Create("/p"));
        _t.Do(Create("/p/b", 1));
        _t.Do(Create("/p/a", 1));
        Assert.Equal(ErrorCode.NoChildrenForEphemerals, _t.Do(Create("/p/a/x")).Err);
        _t.Tree.CloseSession(1, 100);
        Assert.Equal([(ChangeKind.Deleted, "/p/a"), (ChangeKind.Deleted, "/p/b")], _t.Tree.Changes.Select(c => (c.Kind, c.Path)));
        Assert.Equal((0, 100L), (_t.Stat("/p").NumChildren, _t.Stat("/p").Pzxid));
        Assert.Equal(ErrorCode.SessionExpired, _t.Do(Create("/late")).Err);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a/")]
    [InlineData("//a")]
    [InlineData("/a\0")]
    [InlineData("/..")]
    [InlineData("/./a")]
    [InlineData("/\ud800")]
    [InlineData("/\u001f")]
    public void A_text_that_is_no_path_makes_no_node(string path)
    {
        Assert.False(ZnodePath.IsValid(path));
        Assert.NotEqual(ErrorCode.Ok, _t.Do(Create(path)).Err);
    }

    [Fact]
    public void Dots_inside_of_a_name_are_fine() => Assert.Equal(ErrorCode.Ok, _t.Do(Create("/a..b.")).Err);

    [Fact]
    public void What_is_always_there_cannot_be_removed() =>
        Assert.All(["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"], p => Assert.Equal(ErrorCode.BadArguments, _t.Do(Delete(p)).Err));

    [Fact]
    public void A_container_goes_when_it_has_had_children_and_a_node_with_time_to_live_when_that_is_over()
    {
        _t.Do(Create("/c", 4, OpCode.CreateContainer));
        _t.Do(Create("/t", 5, OpCode.CreateTtl, ttlMs: 50));
        Assert.Equal((0L, 0L), (_t.Stat("/c").EphemeralOwner, _t.Stat("/t").EphemeralOwner));
        Assert.Empty(_t.Tree.Passed(1_000, 10));
        _t.Do(Create("/c/x"));
        _t.Do(Delete("/c/x"));
        Assert.Equal(["/c"], _t.Tree.Passed(1_000, 10));
        Assert.Equal(["/c", "/t"], _t.Tree.Passed(5_000, 10).Order());
        Assert.Equal(ErrorCode.Ok, _t.Do(new MultiOp(OpCode.DeleteContainer, "/c", null, [], 0, 0, 0)).Err);
        Assert.Equal(ErrorCode.BadArguments, _t.Do(Create("/u", 5, OpCode.CreateTtl, ttlMs: 0)).Err);
    }

    [Fact]
    public void A_multi_that_fails_leaves_nothing_and_says_which_part_it_was()
    {
        _t.Do(Create("/a"));
        _t.Do(Create("/a/b", 1, data: "old"));
        string before = Seen(_t.Tree);
        MultiResponse answer = _t.All(Create("/n", 2), Set("/a/b", "new"), Delete("/a/b"), Create("/a/c", 3), Delete("/a"), Check("/a", 0));
        Assert.Equal([ErrorCode.Ok, ErrorCode.Ok, ErrorCode.Ok, ErrorCode.Ok, ErrorCode.NotEmpty, ErrorCode.RuntimeInconsistency],
            answer.Results.Select(r => r.Err));
        Assert.All(answer.Results, r => Assert.Equal(OpCode.Error, r.Type));
        Assert.Equal(before, Seen(_t.Tree));
        Assert.Empty(_t.Tree.Changes);
        Assert.Equal(["/a/b"], _t.Tree.Ephemerals(1, "/"));
    }

    [Fact]
    public void An_acl_says_who_may_and_the_superuser_may_always()
    {
        Acl mine = new(31, new AclId("auth", ""));
        Assert.Equal(ErrorCode.InvalidAcl, _t.Do(Create("/m", acl: [mine])).Err);
        _t.Me = new Caller(1, [new AclId("ip", "10.1.2.3"), new AclId("digest", "me:hash")]);
        _t.Do(Create("/m", acl: [mine, new Acl(1, new AclId("ip", "10.1.0.0/16"))]));
        _t.Me = new Caller(1, [new AclId("ip", "10.1.9.9")]);
        Assert.Equal(ErrorCode.Ok, _t.Tree.GetData(_t.Me, "/m", out _));
        Assert.Equal(ErrorCode.NoAuth, _t.Do(Set("/m", "y")).Err);
        Assert.Equal(ErrorCode.Ok, _t.Tree.GetAcl(_t.Me, "/m", out GetAclResponse acl));
        Assert.Equal("me:x", acl.Acl[0].Id.Name);
        _t.Me = new Caller(1, [new AclId("ip", "10.2.0.1")]);
        Assert.Equal(ErrorCode.NoAuth, _t.Tree.GetData(_t.Me, "/m", out _));
        _t.Me = new Caller(1, [new AclId("super", "")]);
        Assert.Equal(ErrorCode.Ok, _t.Do(Set("/m", "z")).Err);
    }
}

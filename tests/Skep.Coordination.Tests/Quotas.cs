using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;
using Skep.Jute;
using static Skep.Coordination.Tests.Trees;

namespace Skep.Coordination.Tests;

public sealed class Quotas
{
    private readonly Trees _t = new();

    [Fact]
    public void What_is_there_counts_from_the_time_the_quota_is_made_and_the_node_itself_with_it()
    {
        _t.Do(Create("/a", data: "xyz"));
        _t.Do(Create("/a/b"));
        Limit("/a", "count=5,bytes=10");
        Assert.Equal("count=2,bytes=4", Used("/a"));
        _t.Do(Create("/a/b/c", 1, data: "12345"));
        _t.Do(Set("/a", "x"));
        Assert.Equal("count=3,bytes=7", Used("/a"));
        _t.Do(Delete("/a/b/c"));
        Assert.Equal("count=2,bytes=2", Used("/a"));
        Assert.Equal((0, 0), (_t.Stat("/zookeeper/quota/a/zookeeper_stats").Version, _t.Stat("/zookeeper/quota").Version));
    }

    [Fact]
    public void A_node_counts_for_the_nearest_quota_alone_and_an_ended_session_takes_its_nodes_from_it()
    {
        _t.Do(Create("/a"));
        _t.Do(Create("/a/b"));
        Limit("/a", "count=5,bytes=-1");
        Limit("/a/b", "count=5,bytes=-1");
        _t.Do(Create("/a/b/c", 1));
        _t.Do(Create("/ab"));
        Assert.Equal(("count=2,bytes=2", "count=2,bytes=2"), (Used("/a"), Used("/a/b")));
        _t.Tree.CloseSession(1, 1_000);
        Assert.Equal("count=1,bytes=1", Used("/a/b"));
    }

    [Theory]
    [InlineData("count=2,bytes=-1", false, 0)]
    [InlineData("count=-1,bytes=-1=;countHardLimit=2", false, 0)]
    [InlineData("count=-1,bytes=-1=;countHardLimit=2", true, -125)]
    [InlineData("count=-1,bytes=-1=;byteHardLimit=2", true, -125)]
    [InlineData("count=1,bytes=1=;byteHardLimit=3;countHardLimit=3", true, null)]
    [InlineData("rubbish", true, null)]
    public void A_hard_limit_refuses_where_quotas_are_enforced_and_whatever_is_gone_beyond_is_told(string limits, bool enforced, int? err)
    {
        _t.Do(Create("/a"));
        _t.Do(Create("/a/b"));
        Limit("/a", limits);
        _t.Tree.EnforcesQuotas = enforced;
        Assert.Equal(err ?? 0, (int)_t.Do(Create("/a/c")).Err);
        Assert.Equal(err is null ? [] : [err != 0], _t.Tree.OverQuotas.Select(static o => o.IsRefused));
        Assert.Equal(err is 0 or null ? "count=3,bytes=3" : "count=2,bytes=2", Used("/a"));
    }

    [Fact]
    public void A_multi_that_fails_leaves_the_figures_and_the_quotas_as_they_were()
    {
        _t.Do(Create("/a"));
        Limit("/a", "count=5,bytes=-1");
        string before = Seen(_t.Tree);
        long size = _t.Tree.SizeBytes;
        _t.All(
            Create("/a/b"), Set("/a", "longer"), Delete("/zookeeper/quota/a/zookeeper_limits"), Delete("/zookeeper/quota/a/zookeeper_stats"),
            Create("/a/c"), Check("/none", 0));
        Assert.Equal((before, size), (Seen(_t.Tree), _t.Tree.SizeBytes));
        _t.Do(Create("/a/b"));
        Assert.Equal("count=2,bytes=2", Used("/a"));
    }

    [Fact]
    public void A_quota_outlives_a_snapshot_and_ends_with_its_limits()
    {
        _t.Do(Create("/a"));
        Limit("/a", "count=5,bytes=-1");
        using var saved = new MemoryStream();
        _t.Tree.Capture().WriteTo(saved);
        saved.Position = 0;
        var loaded = new Trees { Tree = TreeSnapshot.Read(saved) };
        loaded.Do(Create("/a/b"));
        Assert.Equal("count=2,bytes=2", Used("/a", loaded.Tree));
        loaded.Do(Delete("/zookeeper/quota/a/zookeeper_limits"));
        loaded.Do(Create("/a/c"));
        Assert.Equal("count=2,bytes=2", Used("/a", loaded.Tree));
    }

    [Fact]
    public void The_leader_decides_and_its_command_says_so_to_all_and_its_log_is_told_now_and_then()
    {
        var group = new FakeGroup(static o => o with { EnforceQuotas = true }) { Standing = new Standing(1, 1, Leads: true, 1) };
        group.Tick(0);
        Connection client = group.Connect();
        int xid = 0;
        foreach ((string path, string data) in new[]
        {
            ("/a", ""), ("/zookeeper/quota/a", ""), ("/zookeeper/quota/a/zookeeper_limits", "count=-1,bytes=-1=;countHardLimit=1"),
            ("/zookeeper/quota/a/zookeeper_stats", ""), ("/a/b", ""), ("/a/c", ""),
        })
        {
            group.Ask(client, ++xid, OpCode.Create, new CreateRequest(path, Encoding.UTF8.GetBytes(data), Open, 0));
            group.ApplyAll();
        }
        Assert.Equal([0, 0, 0, 0, -125, -125], group.Read(client).Select(static h => h.Err));
        Assert.Equal(2, group.Member.Look(static v => v.Figures.OverQuotas));
        Assert.Equal(
            ["Warning: The quota of /a is exceeded: a write makes 2 count, the hard limit is 1; it was refused (0 such writes since this was last said)"],
            group.Log.Lines);
    }

    private void Limit(string path, string limits)
    {
        string at = "/zookeeper/quota";
        foreach (string name in path.Split('/')[1..])
        {
            _t.Do(Create(at += "/" + name));
        }
        Assert.Equal(ErrorCode.Ok, _t.Do(Create(at + "/zookeeper_limits", data: limits)).Err);
        Assert.Equal(ErrorCode.Ok, _t.Do(Create(at + "/zookeeper_stats", data: "count=0,bytes=0")).Err);
    }

    private string Used(string path) => Used(path, _t.Tree);

    private static string Used(string path, ZnodeTree tree)
    {
        tree.GetData(Caller.Own, $"/zookeeper/quota{path}/zookeeper_stats", out GetDataResponse data);
        return Encoding.UTF8.GetString(data.Data.GetValueOrDefault().Span);
    }
}

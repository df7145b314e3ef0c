using Skep.Coordination.Tree;
using Skep.Coordination.Watches;
using Skep.Jute;

namespace Skep.Coordination.Tests;

public sealed class Watches_fire
{
    private readonly WatchTable _w = new();

    private List<WatchEvent> Fire(Change change) => _w.Fire(change, (_, _) => true);

    [Fact]
    public void Once_and_then_are_gone()
    {
        _w.Add(1, "/a", WatchKind.Data);
        Assert.Equal([new WatchEvent(1, 3, "/a")], Fire(new Change(ChangeKind.DataChanged, "/a")));
        Assert.Empty(Fire(new Change(ChangeKind.DataChanged, "/a")));
        Assert.Equal(0, _w.Count);
    }

    [Fact]
    public void For_the_node_first_and_then_for_its_parents_children()
    {
        _w.Add(1, "/", WatchKind.Child);
        _w.Add(2, "/a", WatchKind.Data);
        Assert.Equal([new WatchEvent(2, 1, "/a"), new WatchEvent(1, 4, "/")], Fire(new Change(ChangeKind.Created, "/a")));
    }

    [Fact]
    public void One_event_of_a_nodes_end_for_a_session_with_both_kinds_there()
    {
        _w.Add(1, "/a", WatchKind.Data);
        _w.Add(1, "/a", WatchKind.Child);
        Assert.Equal([new WatchEvent(1, 2, "/a")], Fire(new Change(ChangeKind.Deleted, "/a")));
        Assert.Equal(0, _w.Count);
    }

    [Fact]
    public void Again_and_again_when_persistent_and_for_all_below_when_recursive()
    {
        _w.Add(1, "/a", WatchKind.Persistent);
        _w.Add(2, "/a", WatchKind.Recursive);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal([new WatchEvent(2, 1, "/a/b"), new WatchEvent(1, 4, "/a")], Fire(new Change(ChangeKind.Created, "/a/b")));
        }
        Assert.Equal([new WatchEvent(2, 3, "/a/b/c")], Fire(new Change(ChangeKind.DataChanged, "/a/b/c")));
    }

    [Fact]
    public void As_the_last_of_their_kind_was_set()
    {
        _w.Add(1, "/a", WatchKind.Persistent);
        _w.Add(1, "/a", WatchKind.Data);
        Assert.Equal([new WatchEvent(1, 3, "/a")], Fire(new Change(ChangeKind.DataChanged, "/a")));
        Assert.Empty(Fire(new Change(ChangeKind.DataChanged, "/a")));
        Assert.Equal([new WatchEvent(1, 4, "/a")], Fire(new Change(ChangeKind.Created, "/a/b")));
    }

    [Fact]
    public void No_more_when_removed_or_when_the_session_is_gone()
    {
        _w.Add(1, "/a", WatchKind.Data);
        _w.Add(1, "/a", WatchKind.Child);
        Assert.True(_w.Remove(1, "/a", WatchTables.Child));
        Assert.False(_w.Remove(1, "/a", WatchTables.Child));
        _w.RemoveSession(1);
        Assert.Empty(Fire(new Change(ChangeKind.DataChanged, "/a")));
        Assert.Equal(0, _w.Count);
    }

    [Fact]
    public void At_once_for_what_a_session_missed_while_it_was_away()
    {
        var t = new Trees();
        foreach (string path in (string[])["/same", "/set", "/grown"])
        {
            t.Do(Trees.Create(path));
        }
        long seen = t.Tree.LastZxid;
        t.Do(Trees.Set("/set", "new"));
        t.Do(Trees.Create("/grown/child"));
        t.Do(Trees.Create("/made"));
        List<WatchEvent> missed = CatchUp.Apply(t.Tree, _w, 1,
            new SetWatches2(seen, ["/same", "/set", "/gone"], ["/made", "/not-yet"], ["/same", "/grown", "/gone"], ["/p"], ["/r"]));
        Assert.Equal([(3, "/set"), (2, "/gone"), (1, "/made"), (4, "/grown"), (2, "/gone")], missed.Select(e => (e.Type, e.Path)));
        // One for the data and the children of /same, one each for /not-yet, /p and /r.
        Assert.Equal(4, _w.Count);
    }
}

"""Watches as they are set, set again after a lost connection, checked and removed."""
from raw_frames import asked
from wire import *

DATA, EXIST, CHILD, PERSISTENT, RECURSIVE = "data", "exist", "child", "persistent", "recursive"


def seen(c):
    """The events so far; what the server sent before it answers a ping has come by then."""
    c.ask(PING, xid=-2)
    events, c.events = [(EVENTS.get(t, t), s, p) for t, s, p in c.events], []
    return events


def set_watches(zxid, data=(), exist=(), child=(), persistent=None, recursive=None):
    lists = [data, exist, child] + ([] if persistent is None else [persistent, recursive])
    return i64(zxid) + b"".join(vector(None if l is None else [string(p) for p in l]) for l in lists)


def watches(run):
    missed(run)
    modes(run)
    removal(run)
    lives(run)


def missed(run):
    """setWatches tells what happened after the zxid that was seen."""
    root = run.path("missed")
    with run.session() as c, run.session() as w:
        names = ["changed", "deleted", "recreated", "children", "created", "same", "gone", "data-then-deleted"]
        c.ask(CREATE, create(root))
        for n in names:
            if n not in ("created", "gone"):
                c.ask(CREATE, create(f"{root}/{n}"))
        seen(c)
        zxid = c.zxid
        c.ask(SET, string(root + "/changed") + buffer(b"1") + i32(-1))
        c.ask(DELETE, string(root + "/deleted") + i32(-1))
        c.ask(DELETE, string(root + "/recreated") + i32(-1))
        c.ask(CREATE, create(root + "/recreated"))
        c.ask(CREATE, create(root + "/children/new"))
        c.ask(CREATE, create(root + "/created"))
        c.ask(SET, string(root + "/data-then-deleted") + buffer(b"1") + i32(-1))
        c.ask(DELETE, string(root + "/data-then-deleted") + i32(-1))
        for kind, version in ((SET_WATCHES, 1), (SET_WATCHES2, 2)):
            for field in (DATA, EXIST, CHILD) + ((PERSISTENT, RECURSIVE) if version == 2 else ()):
                for n in names:
                    lists = {field: [f"{root}/{n}"]}
                    if version == 2:
                        lists = {PERSISTENT: [], RECURSIVE: [], **lists}
                    with run.session() as d:
                        said = asked(d, kind, set_watches(zxid, **lists), xid=-8)
                        run.say(f"setWatches{version} {field} of what was {n}", f"{said} {seen(d)}")
        with run.session() as d:
            run.say("setWatches of many", asked(d, SET_WATCHES, set_watches(zxid, *[[f"{root}/{n}" for n in names]] * 3), xid=-8))
            run.say("tells", seen(d))
        with run.session() as d:
            d.ask(SET_WATCHES, set_watches(zxid, [root + "/changed", root + "/gone"]), xid=-8)
            run.say("setWatches tells before it is answered", [EVENTS[t] for t, _, _ in d.events])
        with run.session() as d:
            run.say("setWatches with a zxid of the future", f"{asked(d, SET_WATCHES, set_watches(2**60, [root + '/changed'], [root + '/gone'], [root]), xid=-8)} {seen(d)}")
        for case, lists in {"null lists": (None, None, None), "bad paths": (["bad"], ["//"], [""]), "a null path": ([None], [], [])}.items():
            with run.session() as d:
                run.say(f"setWatches with {case}", f"{asked(d, SET_WATCHES, set_watches(zxid, *lists), xid=-8)}; then ping {asked(d, PING, xid=-2)} {d.events}")
        with run.session() as d:
            run.say("setWatches with a positive xid", asked(d, SET_WATCHES, set_watches(zxid, [root + "/same"]), xid=5))
            d.ask(SET, string(root + "/same") + buffer(b"") + i32(-1))
            run.say("its watch fires", seen(d))
            run.differ("the header of an event", d.event_header, d.event_header[1] == 0)
        with run.session() as d:
            d.ask(GET, string(root + "/same") + b"\1")
            d.ask(SET, string(root + "/same") + buffer(b"") + i32(-1))
            run.say("a session's own event comes before the answer to its own write", [EVENTS[t] for t, _, _ in d.events])
        lost = run.session()
        with lost:
            lost.ask(GET, string(root + "/same") + b"\1")
        with run.session(session=lost.session, password=lost.password) as d:
            d.ask(SET, string(root + "/same") + buffer(b"") + i32(-1))
            run.say("a watch not set again after the connection was lost", seen(d))


def modes(run):
    root = run.path("modes")
    with run.session() as c, run.session(1) as w:
        c.ask(CREATE, create(root))
        w.catch_up(run.barrier)
        for mode in (-1, 0, 1, 2, 3):
            run.say(f"addWatch mode {mode}", asked(w, ADD_WATCH, string(root) + i32(mode)))
        run.say("addWatch of what is not", asked(w, ADD_WATCH, string(run.path("later")) + i32(0)))
        run.say("addWatch of a bad path", asked(w, ADD_WATCH, string("bad") + i32(0)))
        run.say("addWatch of an empty path", asked(w, ADD_WATCH, string("") + i32(1)))
        run.say("addWatch of no path", asked(w, ADD_WATCH, string(None) + i32(1)))
    for name, mode in (("persistent", 0), ("recursive", 1)):
        with run.session() as c, run.session(1) as w:
            w.ask(ADD_WATCH, string(root) + i32(mode))
            step(run, name, c, w, root)
            w.ask(ADD_WATCH, string(root) + i32(1 - mode))
            step(run, f"{name}, then the other mode too", c, w, root)
            w.ask(GET, string(root) + b"\1")
            w.ask(CHILDREN, string(root) + b"\1")
            w.ask(EXISTS, string(root + "/x") + b"\1")
            step(run, f"{name} and the old kinds too", c, w, root)
    with run.session() as c, run.session(1) as w:
        for kind in (GET, EXISTS, CHILDREN, CHILDREN2):
            w.ask(kind, string(root) + b"\1")
        step(run, "the old kinds", c, w, root)
        w.ask(EXISTS, string(root + "/x") + b"\1")
        w.ask(GET, string(root + "/x") + b"\1")
        w.ask(CHILDREN, string(root + "/x") + b"\1")
        step(run, "on what is not, exists, get and children", c, w, root)


def step(run, case, c, w, root):
    said = []
    for kind, path, record in ((CREATE, root + "/x", buffer(b"") + acl(OPEN_ACL) + i32(0)), (CREATE, root + "/x/y", buffer(b"") + acl(OPEN_ACL) + i32(0)), (SET, root + "/x", buffer(b"1") + i32(-1)), (SET, root, buffer(b"2") + i32(-1)),
                               (SET_ACL, root, acl(OPEN_ACL) + i32(-1)), (DELETE, root + "/x/y", i32(-1)), (DELETE, root + "/x", i32(-1)), (DELETE, root, i32(-1)), (CREATE, root, buffer(b"") + acl(OPEN_ACL) + i32(0))):
        err, _ = c.ask(kind, string(path) + record)
        w.catch_up(run.barrier)
        said.append(f"{ {CREATE: 'create', SET: 'set', DELETE: 'delete', SET_ACL: 'setACL'}[kind]} {path}{'' if err == 0 else ' ' + error(err)}: {seen(w)}")
    for s in said:
        run.say(f"watch {case}: {s.split(': ')[0]}", s.split(": ", 1)[1])


def removal(run):
    root = run.path("removal")
    with run.session() as c:
        c.ask(CREATE, create(root))
    sets = {"nothing": [], "data": [(GET, b"\1")], "exists": [(EXISTS, b"\1")], "child": [(CHILDREN, b"\1")], "persistent": [(ADD_WATCH, i32(0))], "recursive": [(ADD_WATCH, i32(1))],
            "everything": [(GET, b"\1"), (CHILDREN, b"\1"), (ADD_WATCH, i32(0))]}
    for name, kinds in sets.items():
        for kind in (0, 1, 2, 3, 4, 5, 6, -1):
            with run.session() as w:
                for op, record in kinds:
                    w.ask(op, string(root) + record)
                check = asked(w, CHECK_WATCHES, string(root) + i32(kind))
                remove = asked(w, REMOVE_WATCHES, string(root) + i32(kind))
                again = asked(w, REMOVE_WATCHES, string(root) + i32(kind))
                w.ask(SET, string(root) + buffer(b"") + i32(-1))
                w.ask(CREATE, create(root + "/x"))
                w.ask(DELETE, string(root + "/x") + i32(-1))
                run.say(f"{name} set, type {kind}", f"check {check}, remove {remove}, again {again}, then {[(t, p) for t, _, p in seen(w)] if again != 'closed' else 'closed'}")
    with run.session() as w:
        for path in ("bad", "", None, "/not-there"):
            run.say(f"removeWatches of {path}", asked(w, REMOVE_WATCHES, string(path) + i32(3)))
            # ZooKeeper looks at the path only where any session has a recursive watch.
            (run.say if path == "/not-there" else run.differ)(f"checkWatches of {path}", asked(w, CHECK_WATCHES, string(path) + i32(3)))


def lives(run):
    """What becomes of watches when their session's node or the connection ends."""
    root = run.path("lives")
    with run.session() as c, run.session(1) as w:
        c.ask(CREATE, create(root, entries=[(31, "world", "anyone")]))
        w.catch_up(run.barrier)
        w.ask(GET, string(root) + b"\1")
        c.ask(SET_ACL, string(root) + acl([(30, "world", "anyone")]) + i32(-1))
        c.ask(SET, string(root) + buffer(b"1") + i32(-1))
        w.catch_up(run.barrier)
        run.say("a watch on what may no longer be read", seen(w))
        run.say("get with a watch, without the right", asked(w, GET, string(root) + b"\1"))
        c.ask(SET, string(root) + buffer(b"1") + i32(-1))
        w.catch_up(run.barrier)
        run.say("tells", seen(w))
        w.ask(EXISTS, string(root) + b"\1")
        c.ask(DELETE, string(root) + i32(-1))
        w.catch_up(run.barrier)
        run.say("a watch on the deletion of what may not be read", seen(w))
        w.ask(EXISTS, string(root) + b"\1")
        c.ask(CREATE, create(root, entries=[(30, "world", "anyone")]))
        w.catch_up(run.barrier)
        run.say("a watch on the creation of what may not be read", seen(w))
        w.ask(ADD_WATCH, string(run.root) + i32(1))
        c.ask(CREATE, create(root + "/child"))
        c.ask(SET, string(root) + buffer(b"1") + i32(-1))
        c.ask(DELETE, string(root + "/child") + i32(-1))
        c.ask(DELETE, string(root) + i32(-1))
        w.catch_up(run.barrier)
        run.say("a recursive watch above what may not be read", seen(w))
        w.ask(REMOVE_WATCHES, string(run.root) + i32(3))
        c.ask(CREATE, create(root))
        w.catch_up(run.barrier)
        w.ask(EXISTS, string(root) + b"\1")
        c.ask(DELETE, string(root) + i32(-1))
        c.ask(CREATE, create(root))
        c.ask(DELETE, string(root) + i32(-1))
        w.catch_up(run.barrier)
        run.say("one watch, and a node that goes, comes and goes", seen(w))
        w.ask(EXISTS, string(root) + b"\1")
        w.ask(MULTI, part(CREATE, create(root)) + part(SET, string(root) + buffer(b"1") + i32(0)) + part(DELETE, string(root) + i32(-1)) + END)
        run.say("a watch across a multi", seen(w))
        w.ask(ADD_WATCH, string(root) + i32(1))
        w.ask(MULTI, part(CREATE, create(root)) + part(CREATE, create(root + "/a")) + part(SET, string(root) + buffer(b"1") + i32(0)) + part(DELETE, string(root + "/a") + i32(-1)) + part(CHECK, string("/not-there") + i32(-1)) + END)
        run.say("a recursive watch across a multi that fails", seen(w))
        w.ask(MULTI, part(CREATE, create(root)) + part(CREATE, create(root + "/a")) + part(SET, string(root) + buffer(b"1") + i32(0)) + part(DELETE, string(root + "/a") + i32(-1)) + part(DELETE, string(root) + i32(-1)) + END)
        run.say("a recursive watch across a multi", seen(w))
        c.ask(CREATE, create(root, flags=1))
        w.catch_up(run.barrier)
        run.say("a recursive watch and an ephemeral", seen(w))
        c.ask(CLOSE)
        w.catch_up(run.barrier)
        run.say("whose session closes", seen(w))

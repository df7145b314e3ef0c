"""Sessions opened, taken over, closed and lost."""
import os
import time

from raw_frames import asked, fate
from wire import *


def told(c):
    password = "zeros" if c.password == b"\0" * 16 else f"{len(c.password)} bytes"
    return f"timeout {c.timeout}, session {'none' if c.session == 0 else 'given'}, password {password}, then {c.trailing.hex() or 'nothing'}"


def opened(run, server=0, **how):
    try:
        with run.connect(server) as c:
            c.open(**how)
            return told(c) + ("" if c.session else f", then {fate(c, 3)}")
    except Closed:
        return "closed"
    except Nothing:
        return "nothing"


def sessions(run):
    for ms in (0, -1, 1, 3999, 4000, 10000, 40000, 40001, 2**31 - 1):
        run.say(f"a timeout of {ms} ms", opened(run, timeout=ms))
    run.say("a connect request without the read-only field", opened(run, read_only=None))
    run.say("a read-only connect request", opened(run, read_only=True))
    run.say("protocol version 7", opened(run, protocol=7))
    run.say("an empty password", opened(run, password=b""))
    run.say("a long password", opened(run, password=b"p" * 100))
    run.say("a zxid from the future", opened(run, zxid=2**62))
    run.say("a negative zxid", opened(run, zxid=-5))
    run.say("a session that never was", opened(run, session=0x1234567890))
    run.say("session -1", opened(run, session=-1))
    with run.session() as c:
        run.say("the right session with the wrong password", opened(run, session=c.session, password=b"w" * 16))
        run.say("the right session with an empty password", opened(run, session=c.session, password=b""))
        # ZooKeeper closes the connection of a session that another asks for, before it looks at the password.
        run.differ("the session so attacked", asked(c, PING, xid=-2))
    passwords(run)
    taken_over(run)
    closing(run)
    expiry(run)


def passwords(run):
    with run.session() as c, run.session() as d:
        run.say("two sessions differ in id and password", (c.session != d.session, c.password != d.password))
        run.say("one's session with the other's password", opened(run, session=c.session, password=d.password))


def taken_over(run):
    with run.session(timeout=8000) as c:
        path = run.path("mine")
        run.say("an ephemeral", asked(c, CREATE, create(path, b"", flags=1), show=Reader.string))
        for server, where in ((0, "on the same server"), (1, "on another server")):
            with run.session(server, session=c.session, password=c.password, timeout=9000) as d:
                run.say(f"a session taken over {where}", told(d))
                run.say("it has the same id and password", (d.session == c.session, d.password == c.password))
                d.catch_up(run.barrier)
                run.say("it still has its ephemeral", asked(d, EPHEMERALS, string(run.root), show=lambda r: r.strings()))
                if server == 0:
                    run.say("the connection it had", fate(c, 5))
        with run.session(session=c.session, password=c.password) as d:
            run.say("the ephemeral", asked(d, EXISTS, string(path) + boolean(False), show=lambda r: r.stat()[7] == d.session))
            run.say("closeSession", asked(d, CLOSE))
            run.say("the connection after closeSession", fate(d, 5))
        run.say("a closed session", opened(run, session=c.session, password=c.password))
    with run.session() as c:
        run.say("the ephemeral of a closed session", asked(c, EXISTS, string(path) + boolean(False), show=lambda r: r.stat()[4]))


def closing(run):
    with run.session() as c:
        c.frame(i32(1) + i32(CREATE) + create(run.path("pipelined")))
        c.frame(i32(2) + i32(CLOSE))
        c.frame(i32(3) + i32(CREATE) + create(run.path("after-close")))
        got = {}
        try:
            while True:
                r = c.next()
                xid, _ = r.i32(), r.i64()
                got[xid] = error(r.i32())
        except Closed:
            # The third may still be told that its session expired.
            run.say("create, closeSession and create at once", f"{got[1]}, {got[2]}, closed")
            run.differ("the third", got.get(3), got.get(3) != "OK")
    with run.session() as c:
        run.say("the create after closeSession", asked(c, EXISTS, string(run.path("after-close")) + boolean(False), show=lambda r: "was done"))
        xids = []
        for xid in (5, 5, 3, 0, -7, -3, 2**31 - 1, -2**31):
            xids.append(asked(c, EXISTS, string("/") + boolean(False), xid=xid, show=lambda r: r.stat()[4]))
        run.say("xids that repeat and go back", xids)
    with run.session() as c:
        for xid in range(1, 101):
            c.frame(i32(xid) + i32((EXISTS, GET, CHILDREN, CREATE)[xid % 4]) + string(run.root) + (b"\0" if xid % 4 != 3 else buffer(b"") + acl(OPEN_ACL) + i32(0)))
        got = []
        for _ in range(100):
            r = c.next()
            xid, _, err = r.i32(), r.i64(), r.i32()
            got.append((xid, err))
        run.say("a hundred requests at once are answered in order", [g[0] for g in got] == list(range(1, 101)))
        run.say("with these errors", {k: sorted({error(e) for x, e in got if x % 4 == k}) for k in range(4)})


def expiry(run):
    """The least timeout is two ticks (4 s)."""
    with run.session(timeout=4000) as c, run.session() as watcher:
        path = run.path("lost")
        c.ask(CREATE, create(path, b"", flags=1))
        watcher.ask(EXISTS, string(path) + boolean(True))
        began = time.monotonic()
        c.socket.close()
        while not watcher.events:
            watcher.ask(PING, xid=-2)
            if time.monotonic() - began > 20:
                break
            time.sleep(0.1)
        run.say("a session left alone for 4 s loses its ephemeral", [(EVENTS[t], s, p) for t, s, p in watcher.events])
        run.differ("after", f"{time.monotonic() - began:.1f} s", 3 < time.monotonic() - began < 12)
        run.say("its session then", opened(run, session=c.session, password=c.password))

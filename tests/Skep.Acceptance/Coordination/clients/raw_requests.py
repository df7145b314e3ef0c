"""Requests no client library would send, and those that only some do."""
from raw_frames import asked, fate
from wire import *

DIGEST = "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="


def requests(run):
    with run.session() as c:
        run.say("ping", asked(c, PING, xid=-2))
        run.say("ping with a positive xid", asked(c, PING, xid=77))
        run.say("sync", asked(c, SYNC, string(run.root), show=Reader.string))
        run.say("sync of what is not", asked(c, SYNC, string("/not-there"), show=Reader.string))
        run.say("sync of no path", asked(c, SYNC, string(None), show=Reader.string))
        run.say("sync of a bad path", asked(c, SYNC, string("bad"), show=Reader.string))
    for kind in (NOTIFICATION, 10, 23, 50, 99, 108, 999, -1, -2, 2**31 - 1, -2**31):
        with run.session() as c:
            said = asked(c, kind, string(run.root) + boolean(False))
            run.say(f"opcode {kind}", f"{said}; then {fate(c)}")
    with run.session() as c:
        run.differ("createSession in a session", asked(c, CREATE_SESSION, i32(10000)))
    zxids(run)
    truncated(run)
    paths(run)
    creates(run)
    acls(run)
    auth(run)
    multis(run)
    multi_reads(run)
    counts(run)
    admin(run)


def zxids(run):
    """Clients give the greatest zxid of a header when they connect again."""
    path = run.path("zxids")
    with run.session() as c, run.session() as other:
        err, r = c.ask(CREATE2, create(path))
        r.string()
        run.say("a create is answered with the zxid of its node", c.zxid == r.stat()[0])
        err, r = c.ask(SET, string(path) + buffer(b"") + i32(-1))
        written = r.stat()[1]
        run.say("a set is answered with the zxid of its node", c.zxid == written)
        seen = []
        for kind, record, xid in ((GET, string(path) + b"\0", None), (GET, string("/not-there") + b"\0", None), (PING, b"", -2), (SYNC, string(path), None), (WHO_AM_I, b"", None), (SET, string(path) + buffer(b"") + i32(99), None)):
            other.ask(kind, record, xid)
            seen.append(other.zxid >= written)
        run.say("no later answer has a zxid below it", seen)


def truncated(run):
    """Records that end early, for each opcode."""
    for name, kind in {"create": CREATE, "create2": CREATE2, "delete": DELETE, "exists": EXISTS, "get": GET, "set": SET, "getACL": GET_ACL, "setACL": SET_ACL,
                       "children": CHILDREN, "children2": CHILDREN2, "sync": SYNC, "check": CHECK, "multi": MULTI, "multiRead": MULTI_READ,
                       "createTTL": CREATE_TTL, "createContainer": CREATE_CONTAINER, "deleteContainer": DELETE_CONTAINER, "auth": AUTH, "setWatches": SET_WATCHES,
                       "setWatches2": SET_WATCHES2, "addWatch": ADD_WATCH, "checkWatches": CHECK_WATCHES, "removeWatches": REMOVE_WATCHES,
                       "getEphemerals": EPHEMERALS, "getAllChildrenNumber": ALL_CHILDREN_NUMBER}.items():
        for case, record in (("no record", b""), ("a path that ends early", i32(100) + b"/abc")):
            with run.session() as c:
                said = asked(c, kind, record)
                run.say(f"{name} with {case}", f"{said}; then ping {asked(c, PING, xid=-2)}")
    with run.session() as c:
        said = asked(c, EXISTS, string(run.root) + boolean(False) + b"more", show=lambda r: r.stat()[4])
        run.say("exists with bytes after its record", f"{said}; then ping {asked(c, PING, xid=-2)}")


def paths(run):
    with run.session() as c:
        for path in (None, "", "bad", "/", "//", "/a/", "/a//b", "/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b", "/...", "/a\0b", "/a\1b", "/a\x1fb", "/a b", "/a\x7fb",
                     "/a\x80b", "/a\x9fb", "/a\xa0b", "/a\ud7ffb", "/a\ue000b", "/a\uf8ffb", "/a\uf900b", "/a\uffefb", "/a\ufff0b", "/a\uffffb", "/a\U0001f41db",
                     b"/a\xed\xa0\x80b", b"/a\xffb", b"/a\xc0\x80b", "/a:b", "/a%b", "/" + "x" * 5000):
            full = path if path is None else (run.root if path != "bad" and path != "" else "") + path if isinstance(path, str) else run.root.encode() + path
            shown = ascii(path) if path is None or len(path) < 100 else f"a name of {len(path) - 1} letters"
            said = [asked(c, CREATE, create(full), show=lambda r: ascii(r.string()) if len(r.data) < 1000 else f"{len(r.string()) - len(run.root)} letters")]
            for kind, record in ((EXISTS, b"\0"), (GET, b"\0"), (CHILDREN, b"\0"), (GET_ACL, b""), (SET, buffer(b"") + i32(-1)), (SET_ACL, acl(OPEN_ACL) + i32(-1)), (DELETE, i32(-1))):
                said.append(error(c.ask(kind, string(full) + record)[0]))
            run.say(f"path {shown}", ", ".join(f"{n} {s}" for n, s in zip(("create", "exists", "get", "children", "getACL", "set", "setACL", "delete"), said)))


def creates(run):
    with run.session() as c:
        for flags in range(-1, 9):
            run.say(f"create with flags {flags}", asked(c, CREATE, create(run.path(f"flags{flags}-"), b"d", flags=flags), show=Reader.string))
            run.say(f"create2 with flags {flags}", asked(c, CREATE2, create(run.path(f"flags2{flags}-"), b"d", flags=flags), show=lambda r: (r.string(), r.stat()[4:7])))
        for flags in (0, 1, 4, 5, 6):
            run.say(f"createContainer with flags {flags}", asked(c, CREATE_CONTAINER, create(run.path(f"container{flags}-"), b"d", flags=flags), show=created))
            for ttl in (0, 1, -1, 1000, 2**40 - 1, 2**40):
                if ttl == -1 and flags in (0, 1, 4):
                    continue  # See deadly.
                run.say(f"createTTL with flags {flags} and ttl {ttl}", asked(c, CREATE_TTL, create(run.path(f"ttl{flags}-{ttl}-"), b"d", flags=flags) + i64(ttl), show=created))
        run.say("create with null data", asked(c, CREATE, create(run.path("null"), None), show=Reader.string))
        run.say("get of null data", asked(c, GET, string(run.path("null")) + boolean(False), show=lambda r: (r.buffer(), r.stat()[8])))
        run.say("set to null", asked(c, SET, string(run.path("null")) + buffer(None) + i32(-1), show=lambda r: r.stat()[4]))
        run.say("sequential below a path with a slash at its end", asked(c, CREATE, create(run.root + "/", b"", flags=2), show=Reader.string))
        run.say("create below what is not", asked(c, CREATE, create(run.path("no/child"))))
        run.say("create of /", asked(c, CREATE, create("/")))
        run.say("sequential create of /", asked(c, CREATE, create("/", flags=2), show=lambda r: r.string().strip("0123456789")))
        run.say("delete of /", asked(c, DELETE, string("/") + i32(-1)))
        run.say("delete of /zookeeper", asked(c, DELETE, string("/zookeeper") + i32(-1)))
        run.say("set of /zookeeper/config", asked(c, SET, string("/zookeeper/config") + buffer(b"x") + i32(-1)))
        run.say("create below /zookeeper", asked(c, CREATE, create("/zookeeper/config/x")))
        run.say("children of /zookeeper", asked(c, CHILDREN, string("/zookeeper") + boolean(False), show=lambda r: sorted(r.strings())))
        run.say("createContainer of a path with a bad ACL", asked(c, CREATE_CONTAINER, create(run.path("container-bad"), entries=[], flags=4)))
        run.say("deleteContainer", asked(c, DELETE_CONTAINER, string(run.path("container4-"))))
        for version in (-2, -1, 0, 5, -2**31):
            run.say(f"set at version {version}", asked(c, SET, string(run.root) + buffer(b"") + i32(version), show=lambda r: r.stat()[4:7]))
            run.say(f"setACL at version {version}", asked(c, SET_ACL, string(run.root) + acl(OPEN_ACL) + i32(version), show=lambda r: r.stat()[4:7]))
        run.say("set with a bad path and a bad version", asked(c, SET, string("bad") + buffer(b"") + i32(99)))
        c.ask(CREATE, create(run.path("e"), flags=1))
        run.say("create below an ephemeral", asked(c, CREATE, create(run.path("e/x"))))
        run.say("sequential create below an ephemeral", asked(c, CREATE, create(run.path("e/x"), flags=2)))
        run.say("create of what is there, with a bad ACL", asked(c, CREATE, create(run.path("e"), entries=[])))
        run.say("create below what is not, with a bad ACL", asked(c, CREATE, create(run.path("not/e"), entries=[])))
        run.say("create with a bad path and a bad ACL", asked(c, CREATE, create("bad", entries=[])))


def created(r):
    path, stat = r.string(), r.stat()
    return path, stat[4:7], ("owner 0" if stat[7] == 0 else f"owner {stat[7] & 0xffffffffffffffff:#x}" if stat[7] < 0 else "owner of a session")


def acls(run):
    cases = {
        "null": None, "empty": [], "no permission": [(0, "world", "anyone")], "permission 32": [(32, "world", "anyone")], "permission -1": [(-1, "world", "anyone")],
        "world:somebody": [(31, "world", "somebody")], "world:": [(31, "world", "")], "auth": [(31, "auth", "")], "auth:x": [(31, "auth", "x")],
        "digest without colon": [(31, "digest", "bob")], "digest": [(31, "digest", DIGEST)], "digest with two colons": [(31, "digest", "a:b:c")],
        "digest, empty": [(31, "digest", "")], "digest, colon only": [(31, "digest", ":")],
        "ip": [(31, "ip", "127.0.0.1")], "ip/8": [(31, "ip", "127.0.0.1/8")], "ip/33": [(31, "ip", "127.0.0.1/33")], "ip/-1": [(31, "ip", "127.0.0.1/-1")], "ip of three": [(31, "ip", "127.0.0")],
        "ip of letters": [(31, "ip", "host")], "ip of 256": [(31, "ip", "256.0.0.1")], "ip/": [(31, "ip", "127.0.0.1/")],
        "super": [(31, "super", "x")], "unknown scheme": [(31, "nope", "x")],
        "null scheme": [(31, None, "x")], "twice the same": OPEN_ACL * 2, "one good, one bad": OPEN_ACL + [(31, "nope", "")],
        "two of one id": [(1, "world", "anyone"), (31, "world", "anyone")], "world and empty auth": OPEN_ACL + [(31, "auth", "")],
    }
    # What another server may know, or refuse with another error; not among the others, whose parent counts its children.
    elsewhere = {
        "ip v6": [(31, "ip", "::1")], "sasl": [(31, "sasl", "bob")], "x509": [(31, "x509", "CN=bob")], "null id": [(31, "world", None)],
        "null id of digest": [(31, "digest", None)],
    }
    with run.session() as c:
        asked(c, CREATE, create(run.path("elsewhere")))
        for case, entries in elsewhere.items():
            said = asked(c, CREATE, create(run.path("elsewhere/node"), entries=entries))
            run.differ(f"ACL {case}", said, said.startswith(("OK", "INVALIDACL", "MARSHALLINGERROR")))
            asked(c, DELETE, string(run.path("elsewhere/node")) + i32(-1))
        for case, entries in cases.items():
            path = run.path("acl-" + "".join(x if x.isalnum() else "-" for x in case))
            said = asked(c, CREATE, create(path, entries=entries), show=lambda r: r.string() == path).removesuffix(" True")
            told = asked(c, GET_ACL, string(path), show=lambda r: r.acl())
            run.say(f"ACL {case}", f"create {said}; getACL {told}")
            if said == "OK":
                run.say(f"setACL {case}", asked(c, SET_ACL, string(path) + acl(entries) + i32(-1), show=lambda r: r.stat()[6]))
            else:
                run.say(f"setACL {case}", asked(c, SET_ACL, string(run.path("null")) + acl(entries) + i32(-1), show=lambda r: r.stat()[6]))
        run.say("getACL of what is not", asked(c, GET_ACL, string("/not-there")))


def auth(run):
    def add(c, scheme, data, xid=-4, kind=0):
        return asked(c, AUTH, i32(kind) + string(scheme) + buffer(data), xid=xid)

    for scheme, data in (("digest", b"bob:secret"), ("digest", b"bob"), ("digest", b""), ("digest", None), ("digest", b"a:b:c"), ("world", b"anyone"), ("auth", b""), ("ip", b"127.0.0.1"), ("nope", b"x"),
                         ("", b"x"), (None, b"x"), ("super", b"super:x"), ("sasl", b"bob")):
        with run.session() as c:
            said = add(c, scheme, data)
            run.say(f"auth {scheme} {data}", f"{said}; then ping {asked(c, PING, xid=-2)}; whoAmI {asked(c, WHO_AM_I, show=identities)}")
    with run.session() as c:
        run.say("auth with a positive xid", f"{add(c, 'digest', b'bob:secret', xid=9)}; then ping {asked(c, PING, xid=-2)}")
    with run.session() as c, run.session() as other:
        add(c, "digest", b"bob:secret")
        add(c, "digest", b"bob:secret")
        add(c, "digest", b"alice:pw")
        run.say("whoAmI of two, one of them added twice", asked(c, WHO_AM_I, show=identities))
        run.say("ACL auth of two", asked(c, CREATE, create(run.path("two"), entries=[(31, "auth", "whatever")]), show=Reader.string))
        run.say("becomes", asked(c, GET_ACL, string(run.path("two")), show=lambda r: sorted(r.acl())))
        run.say("getACL by another", asked(other, GET_ACL, string(run.path("two")), show=lambda r: r.acl()))
        c.ask(SET_ACL, string(run.path("two")) + acl([(1, "world", "anyone"), (30, "digest", DIGEST)]) + i32(-1))
        run.say("getACL by another who may read", asked(other, GET_ACL, string(run.path("two")), show=lambda r: r.acl()))
        run.say("getACL by one who may administer", asked(c, GET_ACL, string(run.path("two")), show=lambda r: r.acl()))
        for bit, name in ((1, "READ"), (2, "WRITE"), (4, "CREATE"), (8, "DELETE"), (16, "ADMIN")):
            path = run.path(f"only-{name}")
            c.ask(CREATE, create(path))
            c.ask(CREATE, create(path + "/child"))
            c.ask(SET_ACL, string(path) + acl([(bit, "world", "anyone")]) + i32(-1))
            said = [error(other.ask(kind, string(p) + record)[0]) for kind, p, record in (
                (EXISTS, path, b"\0"), (GET, path, b"\0"), (CHILDREN, path, b"\0"), (CHILDREN2, path, b"\0"), (GET_ACL, path, b""), (SET, path, buffer(b"") + i32(-1)), (CREATE, path + "/x", buffer(b"") + acl(OPEN_ACL) + i32(0)),
                (DELETE, path + "/child", i32(-1)), (DELETE, path, i32(-1)), (ALL_CHILDREN_NUMBER, path, b""), (ADD_WATCH, path, i32(0)), (SYNC, path, b""), (SET_ACL, path, acl(OPEN_ACL) + i32(-1)))]
            run.say(f"with {name} only", ", ".join(f"{n} {s}" for n, s in zip(
                ("exists", "get", "children", "children2", "getACL", "set", "create", "delete of a child", "delete", "getAllChildrenNumber", "addWatch", "sync", "setACL"), said)))
        path = run.path("bob's")
        c.ask(CREATE, create(path, entries=[(31, "digest", DIGEST)]))
        for case, record in (("bad version", string(path) + buffer(b"") + i32(99)), ("right version", string(path) + buffer(b"") + i32(0))):
            run.say(f"set without the right, {case}", asked(other, SET, record))
        run.say("set by bob, bad version", asked(c, SET, string(path) + buffer(b"") + i32(99)))
        run.say("create over it without the right", asked(other, CREATE, create(path)))
        run.say("delete without the right, bad version", asked(other, DELETE, string(path) + i32(99)))
    with run.session() as c:
        c.ask(AUTH, i32(0) + string("digest") + buffer(b"bob:secret"), xid=-4)
        with run.session(session=c.session, password=c.password) as d:
            run.say("identities after the session moved", asked(d, WHO_AM_I, show=identities))


def identities(r):
    return sorted((r.string(), r.string()) for _ in range(r.i32()))


def results(r):
    """The parts of the reply to a multi."""
    said = []
    while True:
        kind, done, err = r.i32(), r.boolean(), r.i32()
        if done:
            said.append(f"end({kind},{err})")
            return ", ".join(said)
        if kind == -1:
            said.append(f"error {error(r.i32())}/{error(err)}")
        elif kind == CREATE:
            said.append(f"create {r.string()}")
        elif kind in (CREATE2, CREATE_CONTAINER, CREATE_TTL):
            said.append(f"create2({kind}) {r.string()} {r.stat()[4:7]}")
        elif kind == SET:
            said.append(f"set {r.stat()[4]}")
        elif kind == GET:
            said.append(f"get {r.buffer()} {r.stat()[4]}")
        elif kind == CHILDREN:
            said.append(f"children {sorted(r.strings())}")
        else:
            said.append(f"{kind}")
        said[-1] += "" if kind == -1 or err == 0 else f" with {error(err)}"


def multis(run):
    def multi(case, *parts, end=END, kind=MULTI):
        with run.session() as c:
            said = asked(c, kind, b"".join(parts) + end, show=results)
            run.say(f"multi of {case}", f"{said}; then ping {asked(c, PING, xid=-2)}")

    new = part(CREATE, create(run.path("m")))
    root, gone = string(run.root), string("/not-there")
    multi("nothing")
    multi("no end", end=b"")
    multi("one create and no end", new, end=b"")
    multi("create, set, check, delete", part(CREATE, create(run.path("m2"))), part(SET, string(run.path("m2")) + buffer(b"1") + i32(0)), part(CHECK, string(run.path("m2")) + i32(1)), part(DELETE, string(run.path("m2")) + i32(1)))
    multi("create2, createContainer, createTTL", part(CREATE2, create(run.path("m3"))), part(CREATE_CONTAINER, create(run.path("m4"), flags=4)), part(CREATE_TTL, create(run.path("m5"), flags=5) + i64(10**9)))
    multi("create2 sequential, twice", part(CREATE2, create(run.path("s-"), flags=2)), part(CREATE, create(run.path("s-"), flags=2)))
    multi("an unknown kind", part(999, root))
    multi("a good one and an unknown kind", new, part(999, root))
    multi("getData", part(GET, root + b"\0"))
    multi("exists", part(EXISTS, root + b"\0"))
    multi("setACL", part(SET_ACL, root + acl(OPEN_ACL) + i32(-1)))
    multi("sync", part(SYNC, root))
    multi("multi", part(MULTI, END))
    multi("deleteContainer", part(DELETE_CONTAINER, string(run.path("m4"))))
    multi("closeSession", part(CLOSE, b""))
    multi("kind -1", part(-1, i32(-101)))
    multi("parts with an error code in their headers", part(CHECK, root + i32(-1), err=-101))
    multi("first bad", part(CHECK, gone + i32(-1)), new, part(DELETE, gone + i32(-1)))
    multi("middle bad", new, part(DELETE, gone + i32(-1)), new)
    multi("last bad", new, part(CHECK, root + i32(77)))
    multi("bad path", new, part(CREATE, create("bad")), new)
    multi("bad ACL", new, part(CREATE, create(run.path("m6"), entries=[])), new)
    multi("bad flags", new, part(CREATE, create(run.path("m6"), flags=99)), new)
    multi("check of the same node before and after", part(CHECK, root + i32(-1)), new, part(CHECK, string(run.path("m")) + i32(0)))
    multi("create over it and a delete", new, part(DELETE, string(run.path("m")) + i32(0)))
    multi("delete, create, set", part(DELETE, string(run.path("m")) + i32(-1)), new, part(SET, string(run.path("m")) + buffer(b"2") + i32(0)))
    multi("a part that ends early", i32(CREATE) + b"\0" + i32(-1) + i32(50) + b"/a", end=b"")
    multi("bytes after the end", part(CHECK, root + i32(-1)), end=END + b"more")
    multi("ephemeral and a node below it", part(CREATE, create(run.path("m7"), flags=1)), part(CREATE, create(run.path("m7/x"))))
    with run.session() as c:
        run.say("after all of them", asked(c, CHILDREN, string(run.root) + b"\0", show=lambda r: sorted(x for x in r.strings() if x[0] in "ms")))


def multi_reads(run):
    path = run.path("reads")
    with run.session() as c:
        c.ask(CREATE, create(path, b"data"))
        c.ask(CREATE, create(path + "/b"))
        c.ask(CREATE, create(path + "/a"))
        c.ask(CREATE, create(path + "/secret", entries=[(2, "world", "anyone")]))
    one = part(GET, string(path) + b"\0")
    for case, parts in {
        "nothing": [], "get and children": [one, part(CHILDREN, string(path) + b"\0")], "one that is not": [one, part(GET, string("/not-there") + b"\0"), one],
        "one that may not be read": [part(GET, string(path + "/secret") + b"\0"), part(CHILDREN, string(path + "/secret") + b"\0"), one],
        "a bad path": [part(GET, string("bad") + b"\0"), one], "exists": [part(EXISTS, string(path) + b"\0"), one], "children2": [part(CHILDREN2, string(path) + b"\0")],
        "create": [part(CREATE, create(path + "/c"))], "unknown": [part(999, b"")],
    }.items():
        with run.session() as c:
            said = asked(c, MULTI_READ, b"".join(parts) + END, show=results)
            # ZooKeeper sends an empty answer behind this error.
            said = said.replace("MARSHALLINGERROR(-5) and 9 bytes more", "MARSHALLINGERROR(-5)")
            run.say(f"multiRead of {case}", f"{said}; then ping {asked(c, PING, xid=-2)}")
    with run.session() as c:
        c.ask(MULTI_READ, part(GET, string(path) + b"\1") + part(CHILDREN, string(path) + b"\1") + END)
        c.ask(SET, string(path) + buffer(b"") + i32(-1))
        c.ask(CREATE, create(path + "/d"))
        c.ask(PING, xid=-2)
        run.say("a multiRead that watches sees", [(EVENTS[t], p) for t, s, p in c.events])


def counts(run):
    path = run.path("counts")
    with run.session() as c, run.session(1) as other:
        for p, flags in (("", 0), ("/a", 0), ("/a/b", 0), ("/e2", 1), ("/e1", 1), ("/a/e3", 1)):
            c.ask(CREATE, create(path + p, flags=flags))
        other.ask(CREATE, create(path + "/a/not-mine", flags=1))
        c.catch_up(run.barrier)
        for p in (path, path + "/a", path + "/e1", path + "/e", run.path("coun"), "/", "", None, "bad", "/not-there"):
            # That of the whole tree counts what others have.
            (run.differ if p in ("", "/") else run.say)(f"getAllChildrenNumber of {p}", asked(c, ALL_CHILDREN_NUMBER, string(p), show=Reader.i32))
            run.say(f"getEphemerals of {p}", asked(c, EPHEMERALS, string(p), show=lambda r: sorted(x for x in r.strings() if x.startswith(path))))
        run.say("getEphemerals of another session", asked(other, EPHEMERALS, string(path), show=lambda r: r.strings()))
        run.say("children of a node", asked(c, CHILDREN, string(path) + b"\0", show=lambda r: sorted(r.strings())))
        run.say("children2 of a node", asked(c, CHILDREN2, string(path) + b"\0", show=lambda r: (sorted(r.strings()), (lambda s: (s[4:7], s[8:10]))(r.stat()))))


def admin(run):
    with run.session() as c:
        run.say("whoAmI", asked(c, WHO_AM_I, show=identities))
        run.say("whoAmI with a record", asked(c, WHO_AM_I, string("x"), show=identities))
        run.say("reconfig", asked(c, RECONFIG, string(None) + string(None) + string("server.1=127.0.0.1:1:2") + i64(-1)))
        run.say("reconfig of nothing", asked(c, RECONFIG, string(None) + string(None) + string(None) + i64(-1)))
    with run.session() as c:
        run.say("get of /zookeeper/config", asked(c, GET, string("/zookeeper/config") + boolean(False), show=lambda r: ("version=" in (r.buffer() or b"version=").decode(), r.stat()[4] >= -1)))
        run.say("getACL of /zookeeper/config", asked(c, GET_ACL, string("/zookeeper/config"), show=lambda r: r.acl()))
        run.say("sasl", f"{asked(c, SASL, buffer(b'x'))}; then ping {asked(c, PING, xid=-2)}")


def deadly(run):
    """What real ZooKeeper 3.8 dies of or hangs at: only for servers that are to bear it."""
    cases = [(f"createTTL with flags {flags} and no ttl", CREATE_TTL, create(run.path(f"deadly{flags}-"), flags=flags) + i64(-1)) for flags in (0, 1, 4)]
    cases += [("multi with a null path", MULTI, part(DELETE, string(None) + i32(-1)) + END)]
    cases += [("check outside of a multi", CHECK, string(run.root) + i32(-1)), ("reconfig with no record", RECONFIG, b""), ("reconfig with a path that ends early", RECONFIG, i32(100) + b"/abc")]
    for case, kind, record in cases:
        with run.session() as c:
            said = asked(c, kind, record)
        with run.session() as c:
            alive = asked(c, SET, string(run.root) + buffer(b"") + i32(-1), show=lambda r: r.stat()[8] == 0)
        run.differ(case, f"{said}; then another's set {alive}", alive == "OK True" and said not in ("OK", "nothing"))

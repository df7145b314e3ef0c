"""Asks the same seeded stream of requests through several kazoo sessions and prints a line for each answer and event.

usage: answers.py HOST:PORT[,HOST:PORT...] ROOT SEED COUNT

Two servers that are alike get the same text. Masked are: ROOT (~), zxids (the rank among all that were seen, so that order and
equality stay), times (only whether ctime equals mtime while the version is 0), session ids (the session's name), and what no
server promises: the order of children, of what "auth" stands for, and of events when several ephemerals go at once.
"""
import random
import re
import struct
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol.states import Callback
from kazoo.security import ACL, Id, make_acl, make_digest_acl

import wire

NAMES = ["a", "b", "c", "long-name", "\u00e9t\u00e9", "s-"]
ODD = ["bad\x01", "bad\x7f", "bad\ue000", "bad\ufff0", "nul\0", "\U0001f41d", "...", "\u00a0"]
WORLD, NOBODY = Id("world", "anyone"), Id("digest", "nobody:AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
ACLS = {
    "open": [ACL(31, WORLD)], "read": [ACL(1, WORLD), ACL(30, Id("auth", ""))], "auth": [ACL(31, Id("auth", ""))],
    "bob": [make_digest_acl("bob", "secret", all=True), ACL(1, WORLD)], "alice": [make_digest_acl("alice", "pw", read=True, write=True, create=True), ACL(16, WORLD)],
    "ip": [ACL(31, Id("ip", "127.0.0.0/8"))], "other-ip": [ACL(31, Id("ip", "10.0.0.0/8")), ACL(25, WORLD)], "no-read": [ACL(30, WORLD)], "no-delete": [ACL(23, WORLD)], "no-create": [ACL(27, WORLD)],
    "nobody": [ACL(31, NOBODY), ACL(17, WORLD)], "twice": [ACL(31, WORLD), ACL(31, WORLD)], "unknown": [ACL(31, Id("nope", "x"))], "bad-digest": [ACL(31, Id("digest", "x"))], "bad-ip": [ACL(31, Id("ip", "1.2.3"))],
}
USUAL = ["open"] * 12


class Request:
    """A request kazoo has no word for, sent by its connection."""

    def __init__(self, kind, record, show=lambda r: "OK"):
        self.type, self.record, self.show = kind, record, show

    def serialize(self):
        return self.record

    def deserialize(self, data, offset):
        return self.show(wire.Reader(bytes(data[offset:])))


class Session:
    def __init__(self, server, name, identities):
        self.name, self.events = name, []
        self.client = KazooClient(hosts=server, timeout=30, auth_data=identities, randomize_hosts=False, handler=SequentialThreadingHandler())
        self.client.start(timeout=15)

    def watch(self, event):
        if event.type != "NONE":
            self.events.append(f"{event.type} {event.path}")

    def ask(self, kind, record, show):
        result = self.client.handler.async_result()
        self.client._call(Request(kind, record, show), result)
        return result.get()

    def settle(self):
        """Waits until kazoo has delivered every event that came before the answer to the last request."""
        seen = threading.Event()
        self.client.handler.dispatch_callback(Callback("watch", seen.set, ()))
        if not seen.wait(10):
            sys.exit("timed out after 10 s: kazoo delivers the events")

    def close(self):
        self.client.stop()
        self.client.close()


class Stream:
    def __init__(self, servers, root, seed):
        self.servers, self.root, self.random = servers, root, random.Random(seed)
        self.lines, self.owners, self.sessions, self.births = [], {}, [], 0
        self.number, self.made = 0, [f"{root}/a"]
        self.started = time.time()
        self.barrier = root + "-barrier"
        for i in range(4):
            self.open(i)

    def open(self, i):
        identities = [[], [("digest", "bob:secret")], [("digest", "alice:pw"), ("digest", "bob:secret")], []][i]
        session = Session(self.servers[i % len(self.servers)], "ABCD"[i] + str(self.births), identities)
        self.births += 1
        self.owners[session.client.client_id[0]] = session.name
        self.sessions[i:i + 1] = [session]

    def path(self, parents=False, new=False):
        """Mostly one of those made lately, or one below it, so that much of what is asked is there."""
        r = self.random
        if not new and r.random() < 0.01:
            return self.root
        known = r.choice(self.made[-7:])
        if not new and r.random() < (0.85 if parents else 0.7):
            return known
        under = known if r.random() < 0.4 and known.count("/") < 5 else self.root
        name = r.choice(ODD) if r.random() < 0.06 else r.choice(NAMES)
        return f"{under}/{name}"

    def stat(self, s):
        if s is None:
            return None
        czxid, mzxid, ctime, mtime, version, cversion, aversion, owner, length, children, pzxid = s
        times = "ctime=mtime" if version == 0 and ctime == mtime else "" if version > 0 and mtime >= ctime else "TIMES WRONG"
        if not self.started - 60 < ctime / 1000 < time.time() + 60:
            times = "TIME IS NOT NOW"
        owner = "none" if owner == 0 else self.owners.get(owner, f"UNKNOWN {owner:#x}")
        return f"[c<{czxid}> m<{mzxid}> p<{pzxid}> v{version} cv{cversion} av{aversion} owner {owner} {length} bytes {children} children {times}]"

    def acl(self, entries):
        return sorted(f"{a.perms}:{a.id.scheme}:{a.id.id}" for a in entries)

    def step(self):
        r = self.random
        i = r.randrange(len(self.sessions))
        session = self.sessions[i]
        name = r.choices(list(OPERATIONS), [weight for _, weight in OPERATIONS.values()])[0]
        self.number += 1
        told, said = [], ""
        try:
            said = OPERATIONS[name][0](self, session, told)
        except KazooException as e:
            said = type(e).__name__ + (f"({e.args[0]})" if e.args else "")
        self.lines.append(f"{self.number} {session.name} {name} {' '.join(map(str, told))} -> {said}")
        if name not in READS:
            self.settle()
        if self.number % 40 == 0:
            self.close(i)

    def settle(self, unordered=False):
        # A write of each session's own, for a sync of a session on ZooKeeper's leader may be answered before the leader applies
        # what its followers have.
        for done in [session.client.set_async(self.barrier, b"") for session in self.sessions]:
            done.get(timeout=20)
        for session in self.sessions:
            session.settle()
            for event in sorted(session.events) if unordered else session.events:
                self.lines.append(f"    {session.name} sees {event}")
            session.events.clear()

    def close(self, i):
        self.lines.append(f"{self.number} {self.sessions[i].name} closes")
        self.sessions[i].close()
        self.open(i)
        self.settle(unordered=True)

    def text(self):
        text = "\n".join(self.lines).replace(self.root, "~")
        zxids = {z: n for n, z in enumerate(sorted({int(z) for z in re.findall(r"<(-?\d+)>", text)}))}
        return ascii_line(re.sub(r"<(-?\d+)>", lambda m: f"z{zxids[int(m[1])]}", text))


def ascii_line(text):
    return "".join(c if c == "\n" or 32 <= ord(c) < 127 else ascii(c)[1:-1] for c in text)


def version(s, told, r):
    v = r.choice((-1, -1, -1, 0, 0, 1, 2, 7, -2))
    told.append(f"version {v}")
    return v


def watcher(s, session, told):
    if s.random.random() < 0.75:
        told.append("watching")
        return session.watch
    return None


def data(r):
    return r.choice((b"", b"x", b"some data", b"\0\xff" * 20, b"y" * 3000))


def acl_of(s, told):
    name = s.random.choice(USUAL + list(ACLS))
    told.append(f"acl {name}")
    return ACLS[name]


def create(s, session, told):
    r = s.random
    path, ephemeral, sequence, with_stat = s.path(new=True), r.random() < 0.25, r.random() < 0.25, r.random() < 0.5
    told += [path] + ["ephemeral"] * ephemeral + ["sequential"] * sequence + ["with stat"] * with_stat
    made = session.client.create(path, data(r), acl_of(s, told), ephemeral, sequence, include_data=with_stat)
    s.made.append(made[0] if with_stat else made)
    return f"{made[0]} {s.stat(made[1])}" if with_stat else made


def create_other(s, session, told):
    r = s.random
    path, flags, ttl = s.path(new=True), r.choice((4, 5, 6)), r.choice((0, 1, 3_600_000, 2**40 - 1, 2**40))
    if ttl == 1:
        ttl = 7_200_000
    container = flags == 4
    told += [path, "container" if container else f"flags {flags} ttl {ttl}"]
    entries = wire.acl([(a.perms, a.id.scheme, a.id.id) for a in acl_of(s, told)])
    record = wire.string(path) + wire.buffer(data(r)) + entries + wire.i32(flags) + (b"" if container else wire.i64(ttl))
    return session.ask(wire.CREATE_CONTAINER if container else wire.CREATE_TTL, record, lambda a: f"{a.string()} {s.stat(a.stat())}")


def delete(s, session, told):
    path = s.path()
    told.append(path)
    return session.client.delete(path, version(s, told, s.random))


def delete_tree(s, session, told):
    path = s.path(parents=True)
    told.append(path)
    return session.client.delete(path, recursive=True) if path != s.root else "not the root"


def ensure_path(s, session, told):
    path = s.path()
    told.append(path)
    return session.client.ensure_path(path)


def exists(s, session, told):
    path = s.path()
    told.append(path)
    return s.stat(session.client.exists(path, watcher(s, session, told)))


def get(s, session, told):
    path = s.path()
    told.append(path)
    value, stat = session.client.get(path, watcher(s, session, told))
    return f"{value[:20]} {s.stat(stat)}"


def set_(s, session, told):
    path = s.path()
    told.append(path)
    return s.stat(session.client.set(path, data(s.random), version(s, told, s.random)))


def children(s, session, told):
    path, with_stat = s.path(parents=True), s.random.random() < 0.5
    told.append(path)
    found = session.client.get_children(path, watcher(s, session, told), include_data=with_stat)
    return f"{sorted(found[0])} {s.stat(found[1])}" if with_stat else sorted(found)


def get_acls(s, session, told):
    path = s.path()
    told.append(path)
    entries, stat = session.client.get_acls(path)
    return f"{s.acl(entries)} {s.stat(stat)}"


def set_acls(s, session, told):
    path = s.path()
    told.append(path)
    return s.stat(session.client.set_acls(path, acl_of(s, told), version(s, told, s.random)))


def sync(s, session, told):
    path = s.path()
    told.append(path)
    return session.client.sync(path)


def transaction(s, session, told):
    r, t = s.random, session.client.transaction()
    for _ in range(r.randrange(0, 5)):
        kind, path = r.choice(("create", "create", "delete", "set", "check")), s.path()
        if kind == "create" and r.random() < 0.8:
            path = s.path(new=True)
        told += ["|", kind, path]
        if kind == "create":
            ephemeral, sequence = r.random() < 0.2, path != s.root and r.random() < 0.2
            told += ["ephemeral"] * ephemeral + ["sequential"] * sequence
            t.create(path, data(r), acl_of(s, told), ephemeral, sequence)
        elif kind == "delete":
            t.delete(path, version(s, told, r))
        elif kind == "set":
            t.set_data(path, data(r), version(s, told, r))
        else:
            t.check(path, version(s, told, r))
    return [type(x).__name__ if isinstance(x, Exception) else s.stat(x) if isinstance(x, tuple) else x for x in t.commit()]


def ephemerals(s, session, told):
    prefix = s.root + s.random.choice(("", "/", "/a", "/b"))
    told.append(prefix)
    return session.ask(wire.EPHEMERALS, wire.string(prefix), lambda a: sorted(a.strings()))


def descendants(s, session, told):
    path = s.path(parents=True)
    told.append(path)
    return session.ask(wire.ALL_CHILDREN_NUMBER, wire.string(path), wire.Reader.i32)


def add_auth(s, session, told):
    r = s.random
    user = r.choice(("bob:secret", "alice:pw", "carol:pw"))
    told.append(user)
    return session.client.add_auth("digest", user)


OPERATIONS = {
    "create": (create, 22), "createOther": (create_other, 5), "delete": (delete, 9), "deleteTree": (delete_tree, 1), "ensurePath": (ensure_path, 2), "exists": (exists, 10), "get": (get, 9), "set": (set_, 9),
    "children": (children, 8), "getACL": (get_acls, 4), "setACL": (set_acls, 4), "sync": (sync, 1), "transaction": (transaction, 12), "ephemerals": (ephemerals, 2), "descendants": (descendants, 2), "auth": (add_auth, 0.5),
}

READS = {"exists", "get", "children", "getACL", "sync", "ephemerals", "descendants"}


def main():
    servers, root, seed, count = sys.argv[1].split(","), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    stream = Stream(servers, root, seed)
    stream.sessions[0].client.create(stream.barrier)
    stream.sessions[0].client.create(root)
    stream.settle()
    try:
        for _ in range(count):
            stream.step()
    finally:
        print(stream.text())
    for session in stream.sessions:
        session.close()


if __name__ == "__main__":
    main()

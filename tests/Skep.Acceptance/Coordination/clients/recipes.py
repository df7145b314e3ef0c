"""Runs every recipe of kazoo between clients on different servers, and prints what holds, a line each.

usage: recipes.py HOST:PORT[,HOST:PORT...] ROOT
"""
import datetime
import queue
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, LockTimeout, NoNodeError, NodeExistsError, RolledBackError, RuntimeInconsistency
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.queue import LockingQueue

PATIENCE = 10.0


class Failed(Exception):
    """An expectation did not hold."""


def expect(what, so=True):
    if not so:
        raise Failed(what)
    print(f"{what}: ok", flush=True)


def until(what, so):
    deadline = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > deadline:
            raise Failed(f"timed out after {PATIENCE:g} s: {what}")
        time.sleep(0.01)
    expect(what)


class Aside:
    """A call in a thread of its own, as another process would make it."""

    def __init__(self, call, *arguments, **named):
        self.result, self.error = None, None

        def run():
            try:
                self.result = call(*arguments, **named)
            except Exception as e:
                self.error = e

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    @property
    def done(self):
        return not self.thread.is_alive()

    def get(self, what):
        self.thread.join(PATIENCE)
        if not self.done:
            raise Failed(f"timed out after {PATIENCE:g} s: {what}")
        if self.error:
            raise Failed(f"{what}: {self.error!r}")
        return self.result


def catch_up(client):
    """Waits until this client's server has applied all that others were told is done.

    By a write of its own: a sync of a session on ZooKeeper's leader may be answered before the leader applies what its followers
    have.
    """
    return client.set(sys.argv[2], b"")


def lock(path, clients):
    a, b, c = (client.Lock(path, f"holder-{i}") for i, client in enumerate(clients))
    expect("lock: the first gets it", a.acquire())
    expect("lock: it is not there twice", not b.acquire(blocking=False))
    try:
        b.acquire(timeout=0.2)
        raise Failed("lock: a wait with a limit ends")
    except LockTimeout:
        expect("lock: a wait with a limit ends")
    second = Aside(b.acquire)
    until("lock: the second waits", lambda: a.contenders() == ["holder-0", "holder-1"])
    third = Aside(c.acquire)
    until("lock: the third waits behind it", lambda: a.contenders() == ["holder-0", "holder-1", "holder-2"])
    expect("lock: nobody else has it", not second.done and not third.done)
    a.release()
    expect("lock: the second gets it when the first releases it", second.get("the second gets the lock") and not third.done)
    clients[1].stop()
    expect("lock: the third gets it when the second's session ends", third.get("the third gets the lock"))
    clients[1].start()
    c.release()


def read_write_lock(path, clients):
    r1, r2, w = clients[0].ReadLock(path, "r1"), clients[1].ReadLock(path, "r2"), clients[2].WriteLock(path, "w")
    expect("read lock: two readers at once", r1.acquire(timeout=PATIENCE) and r2.acquire(timeout=PATIENCE))
    expect("write lock: not beside readers", not w.acquire(blocking=False))
    writer = Aside(w.acquire)
    until("write lock: the writer waits", lambda: len(w.contenders()) == 3)
    late = clients[0].ReadLock(path, "late")
    reader = Aside(late.acquire)
    until("read lock: a late reader waits behind the writer", lambda: len(w.contenders()) == 4)
    r1.release()
    expect("write lock: one reader is one too many", not writer.done)
    r2.release()
    expect("write lock: it is had when the readers are gone", writer.get("the writer gets the lock") and not reader.done)
    w.release()
    expect("read lock: it is had when the writer is gone", reader.get("the late reader gets the lock"))
    late.release()


def semaphore(path, clients):
    a, b, c = (client.Semaphore(path, f"s{i}", max_leases=2) for i, client in enumerate(clients))
    expect("semaphore: two leases", a.acquire(timeout=PATIENCE) and b.acquire(timeout=PATIENCE))
    expect("semaphore: no third", not c.acquire(blocking=False))
    third = Aside(c.acquire)
    expect("semaphore: the holders are named", sorted(a.lease_holders()) == ["s0", "s1"])
    a.release()
    expect("semaphore: the third gets what the first releases", third.get("the third gets a lease"))
    expect("semaphore: the new holders are named", sorted(a.lease_holders()) == ["s1", "s2"])
    b.release()
    c.release()


def election(path, clients):
    elections = [client.Election(path, f"e{i}") for i, client in enumerate(clients)]
    led, go = queue.Queue(), [threading.Event() for _ in clients]

    def lead(i):
        led.put(i)
        go[i].wait(PATIENCE)

    terms = []
    for i, e in enumerate(elections):
        terms.append(Aside(e.run, lead, i))
        until(f"election: candidate {i} stands", lambda: len(elections[0].contenders()) == i + 1)
    expect("election: the candidates are in order", elections[2].contenders() == ["e0", "e1", "e2"])
    expect("election: the first leads", led.get(timeout=PATIENCE) == 0)
    expect("election: nobody else does", led.empty())
    elections[1].cancel()
    terms[1].get("the second's run ends when it is cancelled")
    go[0].set()
    expect("election: the third leads after the first, for the second withdrew", led.get(timeout=PATIENCE) == 2)
    go[2].set()
    for t in (terms[0], terms[2]):
        t.get("a term ends")


def barrier(path, clients):
    a, b = clients[0].Barrier(path), clients[1].Barrier(path)
    expect("barrier: none, no wait", b.wait(0))
    a.create()
    catch_up(clients[1])
    waits = Aside(b.wait, PATIENCE)
    expect("barrier: a wait with a limit ends", not b.wait(0.2))
    expect("barrier: it holds", not waits.done)
    expect("barrier: it is removed once", a.remove())
    expect("barrier: who waited goes on", waits.get("the barrier opens"))
    expect("barrier: it is not removed twice", not a.remove())


def double_barrier(path, clients):
    barriers = [client.DoubleBarrier(path, 3, f"d{i}") for i, client in enumerate(clients)]
    enter = [Aside(b.enter) for b in barriers[:2]]
    until("double barrier: two are there", lambda: len([c for c in children(clients[2], path) if c != "ready"]) == 2)
    expect("double barrier: two do not enter", not any(e.done for e in enter))
    enter.append(Aside(barriers[2].enter))
    for e in enter:
        e.get("all enter")
    expect("double barrier: three enter", all(b.participating for b in barriers))
    leave = [Aside(b.leave) for b in barriers[:2]]
    expect("double barrier: two do not leave", not any(e.done for e in leave))
    leave.append(Aside(barriers[2].leave))
    for e in leave:
        e.get("all leave")
    expect("double barrier: three leave", not any(b.participating for b in barriers))


def children(client, path):
    try:
        return client.get_children(path)
    except NoNodeError:
        return []


def queues(path, clients):
    a, b = clients[0].Queue(path), clients[1].Queue(path)
    for value, priority in ((b"one", 100), (b"two", 100), (b"first", 10), (b"last", 200)):
        a.put(value, priority)
    catch_up(clients[1])
    expect("queue: its length", len(b) == 4)
    expect("queue: by priority, then in order", [b.get() for _ in range(5)] == [b"first", b"one", b"two", b"last", None])
    catch_up(clients[0])
    expect("queue: it is empty for the other too", a.get() is None)


def locking_queue(path, clients):
    queues = [client.LockingQueue(path) for client in clients]
    waits = Aside(queues[1].get, PATIENCE)
    queues[0].put(b"one")
    expect("locking queue: who waits gets what comes", waits.get("an entry comes") == b"one")
    expect("locking queue: who has it holds a lock", queues[1].holds_lock())
    expect("locking queue: another gets nothing", queues[2].get(0.3) is None)
    expect("locking queue: it is consumed", queues[1].consume())
    queues[0].put_all([b"two", b"three"])
    expect("locking queue: the next two", [queues[2].get(PATIENCE), queues[0].get(PATIENCE)] == [b"two", b"three"])
    expect("locking queue: one is given back", queues[2].release())
    expect("locking queue: it is there for another", queues[1].get(PATIENCE) == b"two")
    expect("locking queue: all are consumed", queues[0].consume() and queues[1].consume())
    catch_up(clients[2])
    expect("locking queue: it is empty", len(queues[2]) == 0)


def parties(path, clients):
    for kind in ("Party", "ShallowParty"):
        members = [getattr(client, kind)(f"{path}-{kind}", f"member-{i}") for i, client in enumerate(clients)]
        for m in members:
            m.join()
        until(f"{kind}: three are there for each", lambda: all(sorted(m) == ["member-0", "member-1", "member-2"] for m in members))
        members[0].leave()
        until(f"{kind}: one leaves", lambda: sorted(members[1]) == ["member-1", "member-2"] and len(members[2]) == 2)
        clients[2].stop()
        until(f"{kind}: one's session ends", lambda: list(members[1]) == ["member-1"])
        clients[2].start()
        members[1].leave()


def counter(path, clients):
    counters = [client.Counter(path) for client in clients]

    def count(c):
        for _ in range(10):
            c += 1

    for c in [Aside(count, c) for c in counters]:
        c.get("each counts to 10")
    catch_up(clients[0])
    expect("counter: three who count to ten at once", counters[0].value == 30)
    counters[1] -= 31
    expect("counter: below zero", counters[1].value == -1)
    fractions = clients[0].Counter(path + "-float", default=1.5)
    fractions += 2.25
    expect("counter: fractions", fractions.value == 3.75)


def lease(path, clients):
    hour = datetime.timedelta(hours=1)
    expect("lease: the first gets it", bool(clients[0].NonBlockingLease(path, hour, "first")))
    catch_up(clients[1])
    expect("lease: the second does not", not clients[1].NonBlockingLease(path, hour, "second"))
    expect("lease: the first renews it", bool(clients[0].NonBlockingLease(path, hour, "first")))
    later = datetime.datetime.utcnow() + 2 * hour
    catch_up(clients[1])
    expect("lease: the second gets it when it ran out", bool(clients[1].NonBlockingLease(path, hour, "second", utcnow=lambda: later)))
    expect("multiple lease: two, and no third", [bool(c.MultiNonBlockingLease(2, path + "-multi", hour, f"m{i}")) for i, c in enumerate(clients) if catch_up(c)] == [True, True, False])


def tree_cache(path, clients):
    clients[0].ensure_path(path + "/a/b")
    catch_up(clients[1])
    cache, events = TreeCache(clients[1], path), queue.Queue()
    cache.listen(lambda e: events.put((TreeEvent_name(e.event_type), e.event_data and e.event_data.path)))
    cache.start()
    seen = []

    def sees(what, event):
        deadline = time.monotonic() + PATIENCE
        while event not in seen:
            try:
                seen.append(events.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise Failed(f"timed out after {PATIENCE:g} s: {what}; seen {seen}") from None
        seen.clear()
        expect(what)

    sees("tree cache: it is filled", ("INITIALIZED", None))
    expect("tree cache: what is there", cache.get_children(path) == {"a"} and cache.get_children(path + "/a") == {"b"} and cache.get_data(path + "/a/b").data == b"")
    clients[0].create(path + "/a/b/c", b"deep")
    sees("tree cache: a node is added", ("NODE_ADDED", path + "/a/b/c"))
    clients[2].set(path + "/a", b"new")
    sees("tree cache: data changes", ("NODE_UPDATED", path + "/a"))
    expect("tree cache: new data", cache.get_data(path + "/a").data == b"new")
    clients[0].delete(path + "/a/b", recursive=True)
    sees("tree cache: a node goes", ("NODE_REMOVED", path + "/a/b"))
    expect("tree cache: what is left", cache.get_children(path + "/a") == set() and cache.get_data(path + "/a/b/c") is None)
    cache.close()


def TreeEvent_name(kind):
    return {getattr(TreeEvent, n): n for n in ("NODE_ADDED", "NODE_UPDATED", "NODE_REMOVED", "CONNECTION_SUSPENDED", "CONNECTION_RECONNECTED", "CONNECTION_LOST", "INITIALIZED")}[kind]


def watches(path, clients):
    clients[0].ensure_path(path)
    catch_up(clients[1])
    kids, data = queue.Queue(), queue.Queue()
    clients[1].ChildrenWatch(path, lambda c: kids.put(sorted(c)))
    clients[2].DataWatch(path + "/x", lambda d, stat: data.put((d, stat and stat.version)))
    expect("children watch: first none", kids.get(timeout=PATIENCE) == [])
    expect("data watch: first none", data.get(timeout=PATIENCE) == (None, None))
    for what, call, then, of_data in (
            ("a node comes", lambda: clients[0].create(path + "/x", b"1"), ["x"], (b"1", 0)), ("its data changes", lambda: clients[0].set(path + "/x", b"2"), None, (b"2", 1)),
            ("another comes", lambda: clients[0].create(path + "/y", ephemeral=True), ["x", "y"], None), ("it goes", lambda: clients[0].delete(path + "/x"), ["y"], (None, None)),
            ("it comes again", lambda: clients[0].create(path + "/x", b"3"), ["x", "y"], (b"3", 0))):
        call()
        if then is not None:
            expect(f"children watch: {what}", kids.get(timeout=PATIENCE) == then)
        if of_data is not None:
            expect(f"data watch: {what}", data.get(timeout=PATIENCE) == of_data)
    clients[0].stop()
    expect("children watch: an ephemeral goes with its session", kids.get(timeout=PATIENCE) == ["x"])
    clients[0].start()


def partitioner(path, clients):
    wanted = [f"item-{i}" for i in range(7)]

    def member(i):
        return clients[i].SetPartitioner(path, wanted, identifier=f"p{i}", time_boundary=0.3, max_reaction_time=0.2)

    members = [member(0), member(1)]

    def settle(what, so):
        deadline = time.monotonic() + PATIENCE
        while not (all(m.acquired for m in members) and so()):
            for m in members:
                if m.failed:
                    raise Failed(f"set partitioner: it fails while {what}")
                if m.release:
                    m.release_set()
                elif m.allocating:
                    m.wait_for_acquire(0.05)
            if time.monotonic() > deadline:
                raise Failed(f"timed out after {PATIENCE:g} s: set partitioner: {what}")
            time.sleep(0.01)
        expect(f"set partitioner: {what}")

    def divided():
        return sorted(x for m in members for x in m) == wanted and max(len(list(m)) for m in members) - min(len(list(m)) for m in members) <= 1

    settle("two divide the set", lambda: len(members) == 2 and divided())
    members.append(member(2))
    settle("three divide it anew", divided)
    members.pop(0).finish()
    settle("two divide it when one leaves", divided)
    for m in members:
        m.finish()


def transaction(path, clients):
    a, b = clients[:2]
    t = a.transaction()
    t.create(path, b"0")
    t.create(path + "/x")
    t.set_data(path, b"1", 0)
    t.check(path, 1)
    t.delete(path + "/x", 0)
    done = t.commit()
    expect("transaction: all parts are done", done[:2] == [path, path + "/x"] and done[2].version == 1 and done[3:] == [True, True])
    t = a.transaction()
    t.create(path + "/y")
    t.check(path, 99)
    t.create(path + "/z")
    expect("transaction: or none", [type(x) for x in t.commit()] == [RolledBackError, BadVersionError, RuntimeInconsistency])
    catch_up(b)
    expect("transaction: the other sees it", b.get(path)[0] == b"1" and b.get_children(path) == [])
    with a.transaction() as t:
        t.create(path + "/s-", b"", sequence=True)
        t.create(path + "/s-", b"", ephemeral=True, sequence=True)
    expect("transaction: sequential names", sorted(a.get_children(path)) == ["s-0000000001", "s-0000000002"])
    t = a.transaction()
    t.create(path)
    expect("transaction: what exists", [type(x) for x in t.commit()] == [NodeExistsError])


RECIPES = (lock, read_write_lock, semaphore, election, barrier, double_barrier, queues, locking_queue, parties, counter, lease, tree_cache, watches, partitioner, transaction)


def main():
    servers, root = sys.argv[1].split(","), sys.argv[2]
    clients = [KazooClient(hosts=servers[i % len(servers)], timeout=10) for i in range(3)]
    for c in clients:
        c.start(timeout=PATIENCE)
    clients[0].create(root)
    for recipe in RECIPES:
        for c in clients:
            catch_up(c)
        try:
            recipe(f"{root}/{recipe.__name__}", clients)
        except Exception as e:
            sys.exit(f"{recipe.__name__}: {type(e).__name__}: {e}")
    for c in clients:
        c.stop()


if __name__ == "__main__":
    main()

"""Frames that are none, four-letter words, and crowds."""
import os
import re
import time

from wire import *


def fate(c, patience=5.0):
    """What comes of a connection on which something was said."""
    try:
        r = c.next(patience)
        return f"answers {len(r.data)} bytes"
    except Closed:
        return "closed"
    except Nothing:
        return "nothing"


def asked(c, kind, record=b"", xid=None, show=None):
    """What a request came to: an error by name, or what show makes of the body."""
    try:
        err, r = c.ask(kind, record, xid)
    except Closed:
        return "closed"
    except Nothing:
        return "nothing"
    except OtherReply as e:
        return str(e)
    try:
        body = "" if err or show is None else f" {show(r)}"
        left = len(r.rest())
        return error(err) + body + (f" and {left} bytes more" if left else "")
    except EOFError as e:
        return f"{error(err)} but {e}"


def frames(run):
    words(run)
    connect = i32(0) + i64(0) + i32(10000) + i64(0) + buffer(b"\0" * 16) + boolean(False)
    said = {
        "no frame at all": (b"", "none"),
        "half a length": (b"\0\0", "none"),
        "a frame that ends early": (i32(len(connect)) + connect[:20], "none"),
        "a length of zero": (i32(0), "all"),
        "a length of -1": (i32(-1) + connect, "all"),
        "the least length": (i32(-2**31) + connect, "all"),
        "a length of 2 MiB": (i32(2 << 20) + connect, "all"),
        "the greatest length": (i32(2**31 - 1) + connect, "all"),
        "a connect request of 4 bytes": (i32(4) + i32(0), "all"),
        "a connect request without its password": (i32(24) + connect[:24], "all"),
        "a connect request whose password ends early": (i32(40) + connect[:40], "all"),
        "a connect request without password (-1)": (i32(29) + connect[:24] + i32(-1) + b"\0", "all"),
        "a connect request with a password of 2 GiB": (i32(45) + connect[:24] + i32(2**31 - 1) + connect[28:], "all"),
        "a request before the connect request": (i32(8) + i32(1) + i32(PING), "all"),
        "TLS": (bytes.fromhex("16030100a5010000a10303") + b"\x55" * 165, "all"),
        "HTTP": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "all"),
    }
    for case, (bytes_, wait) in said.items():
        with run.connect() as c:
            c.send(bytes_)
            run.say(f"instead of a connect request, {case}", fate(c, 0.3 if wait == "none" else 3))
    after = {
        "half a length": (b"\0\0", 0.3),
        "a frame that ends early": (i32(100) + i32(1) + i32(EXISTS), 0.3),
        "a length of zero": (i32(0), 3),
        "a length of -1": (i32(-1), 3),
        "a length of 4 bytes": (i32(4) + i32(1), 3),
        "a length above 1 MiB": (i32((1 << 20) + 64 * 1024) + b"\0" * 8, 3),
    }
    for case, (bytes_, patience) in after.items():
        with run.session() as c:
            c.send(bytes_)
            run.say(f"in a session, {case}", fate(c, patience))
    sizes(run)
    crowd(run)


def sizes(run):
    """jute.maxbuffer is 0xfffff bytes, and a frame may be as long."""
    path = run.path("large")
    with run.session() as c:
        run.say("data of 1,000,000 bytes", asked(c, CREATE, create(path, b"x" * 1_000_000), show=Reader.string))
        run.say("is read", asked(c, GET, string(path) + boolean(False), show=lambda r: (len(r.buffer()), r.stat()[8])))
        fixed = 8 + len(string(path)) + 4 + 4
        for frame, case in ((0xfffff - 1, "a frame of 0xffffe bytes"), (0xfffff, "a frame of 0xfffff bytes")):
            with run.session() as d:
                run.say(case, asked(d, SET, string(path) + buffer(b"y" * (frame - fixed)) + i32(-1), show=lambda r: r.stat()[8] == frame - fixed))
        run.say("the node afterwards is deleted", asked(c, DELETE, string(path) + i32(-1)))


def words(run):
    def word(w):
        with run.connect() as c:
            c.send(w)
            return c.all(5).decode()

    run.say("ruok", repr(word(b"ruok")))
    run.say("isro", repr(word(b"isro")))
    for w, keys in {
        b"srvr": ["Zookeeper version: ", "Latency min/avg/max: ", "Received: ", "Sent: ", "Connections: ", "Outstanding: ", "Zxid: 0x", "Mode: ", "Node count: "],
        b"mntr": ["zk_version\t", "zk_server_state\t", "zk_avg_latency\t", "zk_packets_received\t", "zk_packets_sent\t", "zk_num_alive_connections\t",
                  "zk_outstanding_requests\t", "zk_znode_count\t", "zk_watch_count\t", "zk_ephemerals_count\t", "zk_approximate_data_size\t"],
    }.items():
        told = "\n" + word(w)
        run.say(w.decode(), ", ".join(k.strip() + ("" if "\n" + k in told else " IS MISSING") for k in keys))
    mode = re.search(r"Mode: (\S+)", word(b"srvr"))
    run.say("srvr tells a mode", "standalone" if mode and mode[1] == "standalone" else "of an ensemble" if mode and mode[1] in ("leader", "follower") else mode)
    for w in (b"conf", b"stat", b"cons", b"envi", b"wchs", b"dump", b"dirs", b"srst", b"crst", b"gtmk"):
        told = word(w)
        run.differ(w.decode(), f"{len(told.splitlines())} lines, first {told.splitlines()[:1]}")
    for w in (b"nope", b"ruo"):
        with run.connect() as c:
            c.send(w)
            run.differ(f"the word {w.decode()}", fate(c, 1))
    with run.connect() as c:
        c.send(b"ru")
        time.sleep(0.05)
        c.send(b"ok")
        run.say("ruok in two pieces", repr(c.all(5)))
    with run.session() as c:
        c.send(b"ruok")
        run.say("ruok inside of a session", fate(c, 5))


def crowd(run):
    crowd = [run.connect(i) for i in range(300)]
    for i, c in enumerate(crowd):
        if i % 3 == 1:
            c.send(b"\0\0\0")
        elif i % 3 == 2:
            c.send(i32(45) + b"\0" * 20)
    with run.session() as c:
        run.say("beside 300 connections that say nothing, a client", asked(c, EXISTS, string(run.root) + boolean(False), show=lambda r: r.stat()[4]))
    for c in crowd:
        c.socket.close()

"""ZooKeeper's wire format by hand: frames, records and one connection, for what no client library would send."""
import socket
import struct

NOTIFICATION, CREATE, DELETE, EXISTS, GET, SET, GET_ACL, SET_ACL, CHILDREN, SYNC = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
PING, CHILDREN2, CHECK, MULTI, CREATE2, RECONFIG, CHECK_WATCHES, REMOVE_WATCHES = 11, 12, 13, 14, 15, 16, 17, 18
CREATE_CONTAINER, DELETE_CONTAINER, CREATE_TTL, MULTI_READ = 19, 20, 21, 22
AUTH, SET_WATCHES, SASL, EPHEMERALS, ALL_CHILDREN_NUMBER, SET_WATCHES2, ADD_WATCH, WHO_AM_I = 100, 101, 102, 103, 104, 105, 106, 107
CREATE_SESSION, CLOSE = -10, -11

ERRORS = {
    0: "OK", -1: "SYSTEMERROR", -2: "RUNTIMEINCONSISTENCY", -3: "DATAINCONSISTENCY", -4: "CONNECTIONLOSS", -5: "MARSHALLINGERROR",
    -6: "UNIMPLEMENTED", -7: "OPERATIONTIMEOUT", -8: "BADARGUMENTS", -13: "NEWCONFIGNOQUORUM", -14: "RECONFIGINPROGRESS",
    -101: "NONODE", -102: "NOAUTH", -103: "BADVERSION", -108: "NOCHILDRENFOREPHEMERALS", -110: "NODEEXISTS", -111: "NOTEMPTY",
    -112: "SESSIONEXPIRED", -113: "INVALIDCALLBACK", -114: "INVALIDACL", -115: "AUTHFAILED", -118: "SESSIONMOVED", -119: "NOTREADONLY",
    -120: "EPHEMERALONLOCALSESSION", -121: "NOWATCHER", -122: "REQUESTTIMEOUT", -123: "RECONFIGDISABLED", -124: "SESSIONCLOSEDREQUIRESASLAUTH",
    -125: "QUOTAEXCEEDED", -127: "THROTTLEDOP",
}
EVENTS = {-1: "none", 1: "created", 2: "deleted", 3: "changed", 4: "children"}
OPEN_ACL = [(31, "world", "anyone")]


def error(code):
    return f"{ERRORS.get(code, '?')}({code})" if code else "OK"


def i32(n):
    return struct.pack(">i", n)


def i64(n):
    return struct.pack(">q", n)


def boolean(b):
    return b"\1" if b else b"\0"


def buffer(b):
    return i32(-1) if b is None else i32(len(b)) + b


def string(s):
    return buffer(s if s is None or isinstance(s, bytes) else s.encode())


def vector(items):
    return i32(-1) if items is None else i32(len(items)) + b"".join(items)


def acl(entries):
    return vector(None if entries is None else [i32(p) + string(s) + string(i) for p, s, i in entries])


def create(path, data=b"", entries=OPEN_ACL, flags=0):
    return string(path) + buffer(data) + acl(entries) + i32(flags)


def part(kind, record, done=False, err=-1):
    """One operation of a multi: its header and its record."""
    return i32(kind) + boolean(done) + i32(err) + record


END = i32(-1) + boolean(True) + i32(-1)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise EOFError(f"record ends at {len(self.data)}, {n} more bytes wanted at {self.at}")
        self.at += n
        return self.data[self.at - n:self.at]

    def i32(self):
        return struct.unpack(">i", self.take(4))[0]

    def i64(self):
        return struct.unpack(">q", self.take(8))[0]

    def boolean(self):
        return self.take(1) != b"\0"

    def buffer(self):
        n = self.i32()
        return None if n < 0 else self.take(n)

    def string(self):
        b = self.buffer()
        return None if b is None else b.decode("utf-8", "backslashreplace")

    def strings(self):
        return [self.string() for _ in range(self.i32())]

    def acl(self):
        return [(self.i32(), self.string(), self.string()) for _ in range(self.i32())]

    def stat(self):
        """czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, dataLength, numChildren, pzxid"""
        return struct.unpack(">qqqqiiiqiiq", self.take(68))

    def rest(self):
        return self.take(len(self.data) - self.at)


class Closed(Exception):
    """The server closed the connection."""


class Nothing(Exception):
    """The server said nothing in time."""


class OtherReply(Exception):
    """The server answered, but not what was asked."""


class Connection:
    """One TCP connection; nothing is said on it but what the caller says."""

    def __init__(self, address, patience=10.0):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=patience)
        self.patience, self.xid, self.events = patience, 0, []
        self.session, self.password, self.timeout, self.zxid, self.event_header = 0, b"", 0, 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # Closed by the server, as the next read will tell.

    def frame(self, payload):
        self.send(i32(len(payload)) + payload)

    def read(self, n, patience=None):
        self.socket.settimeout(patience or self.patience)
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except TimeoutError:
                raise Nothing(f"nothing within {patience or self.patience:g} s") from None
            except OSError:
                raise Closed from None
            if not more:
                raise Closed
            data += more
        return data

    def next(self, patience=None):
        return Reader(self.read(struct.unpack(">i", self.read(4, patience))[0], patience))

    def all(self, patience=None):
        """Everything until the server closes."""
        data = b""
        try:
            while True:
                data += self.read(1, patience)
        except Closed:
            return data

    def open(self, timeout=10000, session=0, password=b"\0" * 16, zxid=0, read_only=False, protocol=0):
        """Asks for a session; read_only=None leaves the field out, as clients before 3.4 do."""
        self.frame(i32(protocol) + i64(zxid) + i32(timeout) + i64(session) + buffer(password) + (b"" if read_only is None else boolean(read_only)))
        r = self.next()
        r.i32()
        self.timeout, self.session, self.password = r.i32(), r.i64(), r.buffer()
        self.trailing = r.rest()
        return self

    def ask(self, kind, record=b"", xid=None):
        """Sends a request, keeps events that come before its reply in self.events, returns (error, body)."""
        if xid is None:
            self.xid = xid = self.xid + 1
        self.frame(i32(xid) + i32(kind) + record)
        return self.reply(xid)

    def reply(self, xid, patience=None):
        while True:
            r = self.next(patience)
            got, self.zxid, err = r.i32(), r.i64(), r.i32()
            if got == -1 and xid != -1:
                self.event_header = (self.zxid, err)
                self.events.append((r.i32(), r.i32(), r.string()))
                continue
            if got != xid:
                raise OtherReply(f"answers xid {got} with {error(err)}")
            return err, r

    def catch_up(self, barrier):
        """Waits until this server has applied all that others were told is done.

        By a write of its own: a sync of a session on ZooKeeper's leader may be answered before the leader applies what its
        followers have.
        """
        self.ask(SET, string(barrier) + buffer(b"") + i32(-1))

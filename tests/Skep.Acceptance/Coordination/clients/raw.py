"""Says to a server what no client would, by hand-made frames, and prints a line for what it did each time.

usage: raw.py HOST:PORT[,HOST:PORT...] ROOT [--deadly]

ROOT is a node that does not exist yet; it is printed as ~. Lines that begin with "may differ:" are not for comparison: what
servers may rightly do differently is only checked for sanity here. --deadly adds the requests that real ZooKeeper dies of.
"""
import sys

from raw_frames import frames
from raw_requests import deadly, requests
from raw_sessions import sessions
from raw_watches import watches
from wire import CREATE, Connection, create


class Run:
    def __init__(self, servers, root):
        self.servers, self.root, self.failed = servers, root, False
        self.barrier = root + "-barrier"

    def connect(self, server=0):
        return Connection(self.servers[server % len(self.servers)])

    def session(self, server=0, **how):
        return self.connect(server).open(**how)

    def path(self, name):
        return f"{self.root}/{name}"

    def say(self, case, what):
        print(f"{case}: {what}".replace(self.root, "~"), flush=True)

    def differ(self, case, what, sane=True):
        """For what may be otherwise elsewhere; what is not sane fails the run."""
        self.say(f"may differ: {case}", what if sane else f"NOT SANE: {what}")
        self.failed |= not sane


def main():
    servers, root = sys.argv[1].split(","), sys.argv[2]
    run = Run(servers, root)
    with run.session() as c:
        c.ask(CREATE, create(run.barrier))
        err, _ = c.ask(CREATE, create(root))
        if err:
            sys.exit(f"{root} could not be created: {err}")
    for group in (frames, sessions, requests, watches):
        group(run)
    if "--deadly" in sys.argv[3:]:
        deadly(run)
    sys.exit(1 if run.failed else 0)


if __name__ == "__main__":
    main()

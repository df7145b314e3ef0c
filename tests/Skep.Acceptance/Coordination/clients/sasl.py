"""Proves by SASL who it is, or fails to, through kazoo and through ZooKeeper's own client, and prints what came of it.

usage: sasl.py HOST:PORT ROOT
"""
import os
import re
import subprocess
import sys
import tempfile
import threading

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException
from kazoo.security import make_acl

import wire
from raw_frames import asked

CLI = "/usr/share/zookeeper/bin/zkCli.sh"
JAAS = 'Client {{ org.apache.zookeeper.server.auth.DigestLoginModule required username="{}" password="{}"; }};\n'
COMMANDS = "create ROOT/java mine sasl:USER:cdrwa\nget ROOT/java\ngetAcl ROOT/hers\nget ROOT/hers\n"
NOISE = ("SLF4J", "Connecting to", "Welcome", "JLine", "WATCHER", "Picked up")


def kazoo(server, user, password):
    return KazooClient(server, sasl_options={"mechanism": "DIGEST-MD5", "username": user, "password": password})


def through_kazoo(server, root):
    queen, bee = kazoo(server, "queen", "royal jelly"), kazoo(server, "bee", "honey")
    queen.start(timeout=15)
    bee.start(timeout=15)
    queen.create(root)
    queen.create(root + "/hers", b"brood", acl=[make_acl("sasl", "queen", all=True)])
    print(queen.get(root + "/hers")[0])
    for call in (lambda: bee.get(root + "/hers"), lambda: bee.create(root + "/all", acl=[make_acl("auth", "", all=True)])):
        try:
            print(call())
        except KazooException as e:
            print(type(e).__name__)
    print(sorted(a.id.scheme + ":" + a.id.id for a in bee.get_acls(root + "/all")[0]))
    for client in (queen, bee):
        client.stop()
        client.close()
    # Nobody asks for a user that is not there: ZooKeeper leaves him without an answer.
    print("bee with wax:", refusal(kazoo(server, "bee", "wax")))


def refusal(client):
    """What a client ends as. Kazoo calls itself connected before it has proved anything, so its start tells nothing."""
    lost, told = threading.Event(), ["taken in"]

    def hear(state):
        # Asked here: it calls itself closed soon after.
        if state == KazooState.LOST and not lost.is_set():
            told[0] = client.client_state
            lost.set()

    client.add_listener(hear)
    client.start_async()
    lost.wait(15)
    client.stop()
    client.close()
    return told[0]


def through_java(server, root, user, password):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as jaas:
        jaas.write(JAAS.format(user, password))
        jaas.flush()
        done = subprocess.run(
            [CLI, "-waitforconnection", "-server", server], input=COMMANDS.replace("ROOT", root).replace("USER", user),
            env={**os.environ, "JVMFLAGS": "-Djava.security.auth.login.config=" + jaas.name},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    print(f"zkCli as {user}")
    for line in done.stdout.splitlines():
        if line.strip() and not line.startswith(NOISE) and " INFO " not in line:
            print(line)


def by_hand(server):
    """What no client sends: an answer to nothing, and answers that are none."""
    def challenge(r):
        token = r.buffer() or b""
        return sorted(d for d in re.findall(r'[a-z]+=(?:"[^"]*"|[^",]*)', token.decode()) if not d.startswith("nonce="))

    with wire.Connection(server).open() as c:
        print("an answer to nothing:", asked(c, wire.SASL, wire.buffer(b'username="bee"'), show=challenge))
        print("and then:", asked(c, wire.SASL, wire.buffer(b"")))
    for answer in (b"\xff\xff", b"", b'username="bee"'):
        with wire.Connection(server).open() as c:
            print("a challenge:", asked(c, wire.SASL, wire.buffer(b""), show=challenge))
            print(f"answered by {answer}:", asked(c, wire.SASL, wire.buffer(answer)))


def main():
    server, root = sys.argv[1:3]
    through_kazoo(server, root)
    through_java(server, root, "queen", "royal jelly")
    through_java(server, root, "bee", "honey")
    by_hand(server)


main()

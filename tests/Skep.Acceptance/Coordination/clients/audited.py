"""Writes, and tries to, in ways that an audit log tells of.

usage: audited.py HOST:PORT ROOT
"""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import make_acl


def main():
    server, root = sys.argv[1:3]
    client = KazooClient(server, sasl_options={"mechanism": "DIGEST-MD5", "username": "bee", "password": "honey"})
    client.start(timeout=15)
    client.add_auth("digest", "bob:secret")

    def told(call, *args, **more):
        try:
            call(*args, **more)
        except KazooException as e:
            print(type(e).__name__)

    told(client.create, root)
    told(client.create, root)
    told(client.create, root + "/ephemeral", ephemeral=True)
    told(client.create, root + "/numbered-", sequence=True)
    told(client.create, root + "/numbered-", sequence=True, include_data=True)
    told(client.create, root + "/both-", sequence=True, ephemeral=True)
    told(client.create, root + "/not/there", sequence=True)
    told(client.set, root, b"x")
    told(client.set, root, b"x", version=9)
    told(client.set_acls, root + "/numbered-0000000001", [make_acl("world", "anyone", all=True), make_acl("sasl", "bee", all=True)])
    told(client.set_acls, root + "/none", [make_acl("world", "anyone", read=True, write=True)])
    told(client.delete, root + "/none")
    told(client.delete, root)
    told(client.delete, root + "/numbered-0000000002")
    told(client.create, root + "/hers", acl=[make_acl("sasl", "queen", all=True)])
    told(client.set, root + "/hers", b"mine")

    done = client.transaction()
    done.create(root + "/m")
    done.create(root + "/m/e", ephemeral=True)
    done.set_data(root + "/m", b"1")
    done.check(root + "/m", 1)
    done.delete(root + "/m/e")
    print(len(done.commit()))
    undone = client.transaction()
    undone.create(root + "/m2")
    undone.delete(root + "/none")
    print([type(r).__name__ for r in undone.commit()])

    # Its ephemerals go with it.
    client.stop()
    client.close()
    last = KazooClient(server)
    last.start(timeout=15)
    last.create(root + "/last")
    last.stop()
    last.close()


main()

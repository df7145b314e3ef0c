"""Comes by TLS, makes a node for whoever showed its certificate, and prints to whom it belongs; without a certificate tries to read it.

usage: tls.py HOST:PORT PATH AUTHORITY [CERTIFICATE KEY]
"""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.security import make_acl

PATIENCE = 20

server, path, authority, *shown = sys.argv[1:]
certificate, key = shown or (None, None)
client = KazooClient(server, use_ssl=True, ca=authority, certfile=certificate, keyfile=key)
client.start(PATIENCE)
try:
    if shown:
        client.create(path, b"honey", acl=[make_acl("auth", "", all=True)])
    acl, _ = client.get_acls(path)
    print(" ".join(f"{a.id.scheme}:{a.id.id}" for a in acl))
    print(client.get(path)[0].decode())
except NoAuthError:
    print("refused")
finally:
    client.stop()
    client.close()

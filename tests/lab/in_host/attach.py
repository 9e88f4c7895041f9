"""Runs in a host, by its Jupyter's Python: is a browser tab on a kernel, until its stdin ends.

Argument 1: {server, kernel} as JSON.
"""

import json
import socket
import ssl
import sys

import websocket  # type: ignore[import-not-found,unused-ignore]

wanted = json.loads(sys.argv[1])
server = wanted["server"]
if server["sock"]:
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(server["sock"])
else:
    plain = socket.create_connection((server["ip"], server["port"]))
if server["tls"]:
    plain = ssl._create_unverified_context().wrap_socket(plain)
tab = websocket.create_connection(
    f"ws://localhost{server['base_url']}api/kernels/{wanted['kernel']}/channels",
    header=[f"Authorization: token {server['token']}"],
    socket=plain,
)
print("attached", flush=True)
sys.stdin.read()
tab.close()

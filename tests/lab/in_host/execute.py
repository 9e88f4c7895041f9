"""Runs in a host, by its Jupyter's Python: gives code (stdin) to the kernel of a connection file (argument 1).

Argument 2 says how long to stay: "busy" until the kernel has begun, "idle" until it is done. Prints what it printed.
"""

import sys

from jupyter_client import BlockingKernelClient  # type: ignore[import-not-found,unused-ignore]

client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=30)
request = client.execute(sys.stdin.read())
state = ""
while state != sys.argv[2]:
    message = client.get_iopub_msg(timeout=60)
    if message["parent_header"].get("msg_id") == request:
        state = message["content"].get("execution_state", state)
        print(message["content"].get("text", ""), end="")
client.stop_channels()

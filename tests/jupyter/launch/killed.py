"""Launch a server, and be killed so many seconds after it began: `…killed PYTHON PORT KEEP SECONDS [HOST SSH_CONFIG]`.

Prints each step as it comes, and "launched" when it is done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from jupytui.hosts.base import Destination, Nobody, SecretPrompt
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.jupyter.launch.spec import Keep, Spec
from jupytui.jupyter.launch.start import launch
from jupytui.secret import Secret


class Alice(Nobody):
    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        return Secret("lab")


async def main() -> None:
    python, port, keep, seconds, *far = sys.argv[1:]
    destination = Destination(far[0], far[0], far[1]) if far else Destination("local")
    host = open_host(destination, Alice(), Gates())
    await host.connect()
    spec = Spec(python, port=int(port), keep=Keep(keep), allow_root=os.geteuid() == 0 and not far)
    asyncio.get_running_loop().call_later(float(seconds), os.kill, os.getpid(), signal.SIGKILL)
    await launch(host, spec, Alice(), lambda step: print(step, flush=True))
    print("launched", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())

"""Certificate swaps under load, by hand: `python -m tests.bench.cert_swap_bench [SWAPS] [SECONDS] [new]`.

A client handshakes with a real Jupyter all the time while its certificate is swapped every SECONDS (1); `new` takes
another key each time, which is what an import does and a renewal does not.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from jupytui.certs import authority, leaf, pem
from jupytui.certs.inspect import Place
from jupytui.certs.install import install
from jupytui.jupyter.access import Access
from tests.certs.client import Handshaker
from tests.jupyter.launch.conftest import reach
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.session import own_lab


async def measure(swaps: int, pause: float, new_keys: bool) -> None:
    with own_lab() as lab, tempfile.TemporaryDirectory() as directory:
        recipe = Recipe("swap", "user-unit", "swap.ipynb", token="token", tls=True, ip="0.0.0.0")
        server = start_jupyter(lab, lab.host("swap"), recipe)
        host = await reach(lab, server.host)
        ours, key, took = authority.load_or_make(Path(directory) / "certs"), pem.new_key(), 0.0
        before = server.pid, server.kernel_pid
        with Handshaker((server.host.address, 8888)) as client:
            for _ in range(swaps):
                begun = time.monotonic()
                pair = leaf.issue(ours, [server.host.address], key=None if new_keys else key)
                await install(
                    host, Access("127.0.0.1", 8888, tls=True), Place("/home/alice/.jupyter/jupyter.pem"), pair
                )
                took += time.monotonic() - begun
                await asyncio.sleep(max(0.0, pause - (time.monotonic() - begun)))
        same = (server.pid, server.kernel_pid) == before
        print(
            f"{swaps} swaps, {took / swaps * 1000:.0f} ms each; {client.done} handshakes, {len(client.failed)} failed"
        )
        print(f"server and kernel are the same processes: {same}; it computes {server.execute('print(6 * 7)').strip()}")
        await host.close()


if __name__ == "__main__":
    numbers = [word for word in sys.argv[1:] if word != "new"]
    count, seconds = [*numbers, *["100", "1"][len(numbers) :]]
    asyncio.run(measure(int(count), float(seconds), "new" in sys.argv))

"""A front end as a program of its own, to be stalled and killed: adds a tunnel, says where it listens, and stays."""

import asyncio
import sys

from jupytui.config.paths import find_paths
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.models import Address, Tunnel


async def stay(config: str, host: str, to: str) -> None:
    async with connect(find_paths(config)) as client:
        status = await client.add(Tunnel("t", host, local=Address("127.0.0.1", 0), to=Address.parse(to)))
        print(status.local, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(stay(*sys.argv[1:]))

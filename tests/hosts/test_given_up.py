"""A connect that is given up, at whatever moment, leaves no socket open, not even until garbage is collected."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jupytui.hosts import reach
from jupytui.hosts.head_start import HeadStart
from jupytui.hosts.ssh_config import Resolved
from tests.hosts.account import Account
from tests.hosts.processes import until
from tests.hosts.sshd import Sshd

MOMENTS = [round(1.03**n) for n in range(320)]  # turns of the event loop


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def sockets() -> set[str]:
    """Those this process has open. What else it has may belong to a thread that asks `ssh -G`."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()))
    return {name for name in found if name.startswith("socket:")}


async def give_up(after: int, doing: Coroutine[Any, Any, object]) -> None:
    """Begin something and cancel it after so many turns of the loop, or let it end before."""
    task = asyncio.create_task(doing)
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def settled() -> set[str]:
    """What is open when asyncio has closed what it was told to close."""
    for _ in range(3):
        await asyncio.sleep(0)
    return sockets()


async def test_a_login(sshd: Sshd, account: Account, uncollected: None) -> None:
    sshd.start("MaxStartups 1000")
    host = account.open("box")
    await host.connect()
    await host.close()
    before = await settled()
    for moment in MOMENTS:
        await give_up(moment, host.connect())
        await host.close()
        assert await settled() == before, f"given up after {moment} turns"


@pytest.mark.timeout(20)
async def test_a_socket_and_one_with_a_head_start(uncollected: None) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        hop = Resolved("box", "127.0.0.1", "alice", server.sockets[0].getsockname()[1])
        before = await settled()
        for moment in range(12):
            for doing in (_reached(hop), _begun_and_taken(hop), reach.knock(hop, 5.0)):
                await give_up(moment, doing)
            await until(lambda: sockets() == before)  # the server's side is in this process, too


async def _reached(hop: Resolved) -> None:
    (await reach.connect(hop)).close()


async def _begun_and_taken(hop: Resolved) -> None:
    start = HeadStart(hop)
    try:
        sock = await start.take()
        assert sock
        sock.close()
    finally:
        await start.give_up()

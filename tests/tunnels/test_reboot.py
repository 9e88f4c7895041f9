"""A host is rebooted: its tunnels and its row are back within five seconds of sshd's first answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, HostState, Nobody
from jupytui.jupyter.models import Health
from jupytui.tunnels.models import Address, Behind, Tunnel, TunnelState
from tests.lab.host import LabHost
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.tunnels.conftest import SOON, Board, board_of

BACK = 5.0  # seconds after sshd's first answer
TO = Address("localhost", 8888)


class Clock:
    """When what was waited for came, in seconds after sshd answered."""

    def __init__(self) -> None:
        self.answered = asyncio.get_running_loop().create_future()

    async def sshd(self, host: LabHost) -> None:
        self.answered.set_result(await asyncio.to_thread(_first_banner, host.address))

    async def when(self, reached: Awaitable[object]) -> float:
        await reached
        return time.monotonic() - await self.answered


def _first_banner(address: str) -> float:
    while True:
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 0.2) as sock:
            if sock.recv(4) == b"SSH-":
                return time.monotonic()
        time.sleep(0.02)


async def until_seen(store: Store, reached: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    stop = store.subscribe(lambda _host: changed.set())
    try:
        async with asyncio.timeout(60):
            while not reached():
                await changed.wait()
                changed.clear()
    finally:
        stop()


def behind(server: JupyterServer) -> Behind:
    """What a front end knows of the server when it makes the tunnel."""
    version = server.api("GET", "api")["version"]
    ticks = int(server.host.exec('sed "s/.*) //" "/proc/$1/stat" | cut -d" " -f20', str(server.pid)).stdout)
    return Behind(version=version, pid=server.pid, started=ticks / 100)


async def tunnels(board: Board, server: JupyterServer) -> None:
    made_for_it = behind(server)
    for number in range(3):
        await board.add(Tunnel(f"t{number}", server.host.name, to=TO, behind=made_for_it if number else None))
        await board.until_state(TunnelState.UP, f"t{number}")


async def test_after_a_reboot_all_tunnels_and_the_row_are_back_five_seconds_after_sshd(lab: Lab) -> None:
    host = lab.host("tareboot")
    recipe = Recipe(host.name, "user-unit", "t.ipynb", token="token-of-the-rebooted-host")
    server = await asyncio.to_thread(start_jupyter, lab, host, recipe)
    store = Store()

    def links() -> bool:
        carrying = {TunnelState.UP, TunnelState.NO_SERVER}
        return all(status.state in carrying and status.reconnects for status in board.statuses())

    def view() -> bool:
        found = store.host(host.name)
        return found is not None and found.state is HostState.UP

    def green() -> bool:
        found = store.host(host.name)
        return view() and bool(found and found.servers) and found.servers[0].health is Health.OK  # type: ignore

    def wholly_up() -> bool:
        return all(status.state is TunnelState.UP for status in board.statuses())

    async with board_of(lab.ssh_config) as board, Fleet(store, lambda _host: Nobody()) as fleet:
        await tunnels(board, server)
        fleet.add(Destination(host.name, host.name, str(lab.ssh_config)))
        fleet.start()
        await until_seen(store, green)
        clock = Clock()
        await asyncio.to_thread(host.stop)
        await board.until(lambda: not any(s.state is TunnelState.UP for s in board.statuses()), SOON)
        await until_seen(store, lambda: not view())
        if (down := float(__import__("os").environ.get("DOWN", "0"))):
            await asyncio.sleep(down)
        booting = asyncio.create_task(asyncio.to_thread(lambda: (host.start(), host.wait_booted())))
        async with asyncio.TaskGroup() as waits:
            waits.create_task(clock.sshd(host))
            times = {
                "links": waits.create_task(clock.when(board.until(links, 60))),
                "row": waits.create_task(clock.when(until_seen(store, view))),
                "green": waits.create_task(clock.when(until_seen(store, green))),
                "health": waits.create_task(clock.when(board.until(wholly_up, 60))),
            }
        await booting
        figures = {name: round(task.result(), 2) for name, task in times.items()}
        print(figures)
    assert max(figures["links"], figures["row"]) <= BACK

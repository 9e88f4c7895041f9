"""A host is rebooted: its tunnels and its row are back within five seconds of sshd's first answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, Host, HostState, Nobody
from jupytui.jupyter.models import Health
from jupytui.tunnels.health import WELL, check, runs, started
from jupytui.tunnels.models import Address, Behind, Tunnel, TunnelState
from tests.lab.host import LabHost
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.tunnels.conftest import DROP, Board, board_of

BACK = 5.0  # seconds after sshd's first answer
AWAY = float(os.environ.get("JUPYTUI_TEST_AWAY", "1"))  # seconds switched off; 60 by hand
PATIENCE = 60.0
TUNNELS = 3
TO = Address("localhost", 8888)
CARRIES = {TunnelState.UP, TunnelState.NO_SERVER}


@pytest.fixture(scope="module")
def server(lab: Lab, jupyters: dict[str, JupyterServer]) -> JupyterServer:
    """One that comes up with its host."""
    recipe = Recipe("tareboot", "user-unit", "t.ipynb", token="token-of-the-rebooted-host")
    return start_jupyter(lab, lab.host(recipe.name), recipe)


async def test_after_a_reboot_all_tunnels_and_the_row_are_back_five_seconds_after_sshd(
    lab: Lab, server: JupyterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a long absence comes to, so that only the knock brings the row back.
    monkeypatch.setattr("jupytui.fleet.watch.Watcher._backoff", lambda _watcher: 3600.0)
    host, store = server.host, Store()
    async with board_of(lab.ssh_config) as board, Fleet(store, lambda _host: Nobody()) as fleet:
        fleet.add(Destination(host.name, host.name, str(lab.ssh_config)))
        fleet.start()
        await _until(store, host, _green)
        made_for = await _behind(fleet.host(host.name), server)
        for number in range(TUNNELS):
            await board.add(Tunnel(f"t{number}", host.name, to=TO, behind=made_for))
        await board.until(lambda: _all(board, {TunnelState.UP}))
        await _shut_down(host, board, store)
        async with asyncio.TaskGroup() as tasks:
            booting = tasks.create_task(asyncio.to_thread(_boot, host))
            tunnels = tasks.create_task(_when(board.until(lambda: _all(board, CARRIES), PATIENCE)))
            row = tasks.create_task(_when(_until(store, host, lambda view: view.state is HostState.UP)))
            green = tasks.create_task(_when(_until(store, host, _green)))
            answered = await asyncio.to_thread(_first_banner, host.address)
        await booting
        await board.until(lambda: _all(board, {TunnelState.UP}), PATIENCE)
        took = {"tunnels": tunnels, "row": row, "server": green}
        print({what: f"{task.result() - answered:.2f} s after sshd" for what, task in took.items()})
        assert max(tunnels.result(), row.result()) - answered <= BACK
        assert await check(fleet.host(host.name), made_for, TO, fleet.host(host.name)) == WELL
        assert not any(status.state is TunnelState.WRONG_SERVER for status in board.reported)


async def _behind(host: Host, server: JupyterServer) -> Behind:
    """What a front end knows of the server when it makes the tunnel."""
    version = server.api("GET", "api")["version"]
    return Behind("/", False, version, server.pid, await started(host, server.pid), await runs(host, TO))


async def _shut_down(host: LabHost, board: Board, store: Store) -> None:
    """Shut it down; returns when that was noticed, and the host has been away for a while."""
    await asyncio.to_thread(host.exec, f"systemctl stop ssh; {DROP}")  # as a shutdown does
    await board.until(lambda: not any(status.state in CARRIES for status in board.statuses()), PATIENCE)
    await _until(store, host, lambda view: view.state is not HostState.UP)
    await asyncio.to_thread(host.stop)
    await asyncio.sleep(AWAY)


def _boot(host: LabHost) -> None:
    host.start()
    host.wait_booted()


def _first_banner(address: str) -> float:
    while True:
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 0.2) as sock:
            if sock.recv(4) == b"SSH-":
                return time.monotonic()
        time.sleep(0.02)


async def _when(reached: Awaitable[object]) -> float:
    await reached
    return time.monotonic()


def _all(board: Board, states: set[TunnelState]) -> bool:
    return all(status.state in states for status in board.statuses())


def _green(view: HostView) -> bool:
    return view.state is HostState.UP and any(server.health is Health.OK for server in view.servers)


async def _until(store: Store, host: LabHost, reached: Callable[[HostView], bool]) -> None:
    changed = asyncio.Event()
    stop = store.subscribe(lambda _host: changed.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while not ((view := store.host(host.name)) and reached(view)):
                changed.clear()
                await changed.wait()
    finally:
        stop()

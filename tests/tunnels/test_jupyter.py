"""A real JupyterLab behind a tunnel: its kernels' websockets come back after a cut, and another server is noticed."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from jupytui.tunnels.models import Address, Behind, Tunnel, TunnelState
from tests.lab.host import LabHost
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.tunnels.conftest import DROP, Board, board_of

TOKEN = "token-of-the-tunnelled-host"
TO = Address("localhost", 8888)
CUTS = int(os.environ.get("JUPYTUI_TEST_CUTS", "3"))  # 20 by hand
STARTED = 'sed "s/.*) //" "/proc/$1/stat" | cut -d" " -f20'


@pytest.fixture(scope="module")
def server(lab: Lab, jupyters: dict[str, JupyterServer]) -> JupyterServer:
    return start_jupyter(lab, lab.host("fwjup"), Recipe("fwjup", "nohup", "t.ipynb", token=TOKEN, log="/home/alice/o"))


@pytest.fixture
def behind(server: JupyterServer) -> Behind:
    """What a front end knows of the server when it makes the tunnel."""
    version = server.api("GET", "api")["version"]
    ticks = int(server.host.exec(STARTED, str(server.pid)).stdout)
    return Behind(version=version, pid=server.pid, started=ticks / 100)


@pytest.fixture
async def board(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Board]:
    monkeypatch.setattr("jupytui.tunnels.running.CHECK", 0.5)
    async with board_of(lab.ssh_config) as made:
        yield made


async def ask_kernel(port: int, server: JupyterServer, cut: LabHost | None = None) -> None:
    """Ask the kernel who it is; with `cut`, the websocket is then broken, and must be told so."""
    uri = f"ws://127.0.0.1:{port}/api/kernels/{server.kernel_id}/channels?token={TOKEN}"
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
    question = {
        "header": header | {"msg_type": "kernel_info_request"},
        "parent_header": {},
        "metadata": {},
        "content": {},
        "channel": "shell",
    }
    async with connect(uri, proxy=None) as socket:
        await socket.send(json.dumps(question))
        while json.loads(await socket.recv())["msg_type"] != "kernel_info_reply":
            pass
        if cut:
            await asyncio.to_thread(cut.exec, DROP)
            with pytest.raises(ConnectionClosed):
                while True:
                    await socket.recv()


async def test_a_kernels_websocket_works_again_after_each_cut(
    board: Board, server: JupyterServer, behind: Behind
) -> None:
    await board.add(Tunnel("t", "fwjup", to=TO, behind=behind))
    await board.until_state(TunnelState.UP)
    for _ in range(CUTS):
        await ask_kernel(board.port(), server, cut=server.host)
    await ask_kernel(board.port(), server)
    assert board.status().reconnects == CUTS


@pytest.mark.parametrize(
    "other", [{"version": "1.2.3"}, {"started": 1.0}, {"pid": 999_999}, {"pid": 999_999, "runs": "else"}]
)
async def test_another_server_than_the_tunnel_was_made_for_is_noticed(
    board: Board, server: JupyterServer, behind: Behind, other: dict[str, object]
) -> None:
    await board.add(Tunnel("t", "fwjup", to=TO, behind=replace(behind, **other)))  # type: ignore[arg-type]
    status = await board.until_state(TunnelState.WRONG_SERVER)
    assert status.error


async def test_a_port_that_was_taken_over_is_noticed(board: Board, server: JupyterServer, behind: Behind) -> None:
    await board.add(Tunnel("t", "fwjup", to=TO, behind=behind))
    await board.until_state(TunnelState.UP)
    await asyncio.to_thread(server.host.exec, 'kill -KILL "$1"', str(server.pid))
    await board.until_state(TunnelState.NO_SERVER)
    with server.host.spawn("exec python3 -u -m http.server --bind 127.0.0.1 8888") as process:
        status = await board.until_state(TunnelState.WRONG_SERVER)
        assert status.error
        assert "no Jupyter" in status.error.message
        process.kill()

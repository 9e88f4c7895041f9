"""Another user's server: no signal reaches it, its password does."""

from __future__ import annotations

import asyncio
import json

import pytest

from jupytui.errors import CommandError
from jupytui.fleet.probe import Probe
from jupytui.hosts.base import Host
from jupytui.jupyter.launch.lifecycle import Way, restart, stop
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import Health
from tests.jupyter.launch.conftest import Alice
from tests.lab.accounts import add_account
from tests.lab.host import LabHost
from tests.lab.jupyter import HASHED_PASSWORD, PASSWORD, VENV

CONFIG = {
    "ServerApp": {"ip": "127.0.0.1", "port_retries": 0},
    "IdentityProvider": {"token": "", "hashed_password": HASHED_PASSWORD},
}
START = f"exec setsid {VENV}/bin/jupyter-lab --no-browser --port=8890 >jupyter.log 2>&1 </dev/null &"
READY = "until curl -sf http://127.0.0.1:8890/api >/dev/null; do sleep 0.1; done"


@pytest.fixture
async def bobs(fresh_host: LabHost, far: Host) -> Target:
    """A server of bob's with a password, as alice sees it."""
    add_account(fresh_host, "bob")
    fresh_host.write("/home/bob/.jupyter/jupyter_server_config.json", json.dumps(CONFIG), user="bob")
    fresh_host.exec(START, user="bob")
    await asyncio.to_thread(fresh_host.exec, READY, timeout=90)
    probe = Probe(far)
    (server,) = (await probe.look()).servers
    assert server.health is Health.UNREADABLE
    access = probe.api(server.id).access
    await probe.close()
    assert not access.token
    return Target(server.id, server.pid, server.port, server.sock, access)


async def test_another_users_server_ends_by_its_password_and_by_nothing_else(
    fresh_host: LabHost, far: Host, bobs: Target
) -> None:
    for call in (restart(far, bobs, Alice()), stop(far, bobs, Alice(), kill=True), stop(far, bobs, Alice())):
        with pytest.raises(CommandError, match="belongs to another user"):
            await call
    with pytest.raises(CommandError, match="refused the password 3 times"):
        await stop(far, bobs, Alice("wrong", "wörse &_xsrf=", "worst"))
    assert fresh_host.exec("ls /proc/$1", str(bobs.pid)).stdout
    alice = Alice("wrong", PASSWORD)
    ended = await stop(far, bobs, alice)
    assert [prompt.again for prompt in alice.asked] == [False, True]
    assert ended.way is Way.COOKIE
    assert not fresh_host.exec("ls -d /proc/$1", str(bobs.pid), check=False).stdout
    assert "127.0.0.1:8890" not in fresh_host.listening()
    assert PASSWORD not in fresh_host.exec("cat /home/bob/jupyter.log").stdout

"""This machine with the test's own home, and environments of several releases."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from tests.jupyter.passwords.servers import Ground, lay
from tests.lab.old_servers import venv_of

Lay = Callable[..., Ground]


@pytest.fixture
async def here(home: Path) -> AsyncIterator[LocalHost]:
    host = LocalHost()
    yield host
    await host.close()


@pytest.fixture
def ground(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Makes a home and an environment that has a release of jupyter_server."""

    def make(version: str = "current") -> Ground:
        venv = venv_of(version)
        if not (venv / "complete").exists():
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no {venv}: tests/run makes it")
        made = lay(tmp_path, version, free_port())
        monkeypatch.setenv("HOME", str(made.home))
        return made

    return make


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])

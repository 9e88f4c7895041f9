"""Hosts to launch on: this machine with the test's own home, and a lab host as alice reaches it by SSH."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupytui.hosts.base import Destination, Host, Nobody, SecretPrompt
from jupytui.hosts.limits import Gates
from jupytui.hosts.local import LocalHost
from jupytui.hosts.open import open_host
from jupytui.secret import Secret
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV
from tests.lab.lab import Lab

PYTHON = f"{VENV}/bin/python"


class Alice(Nobody):
    """Knows alice's password, or what she was told to say; keeps what she was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[SecretPrompt] = []

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        self.asked.append(prompt)
        return Secret(self.answers.pop(0)) if self.answers else None


@pytest.fixture(scope="session")
def python() -> str:
    """A Python that has Jupyter."""
    if not (VENV / "complete").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no Jupyter in {VENV}: tests/run makes it")
    return PYTHON


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
async def here(home: Path) -> AsyncIterator[LocalHost]:
    host = LocalHost()
    yield host
    await host.close()


@pytest.fixture
async def far(lab: Lab, fresh_host: LabHost, python: str) -> AsyncIterator[Host]:
    host = await reach(lab, fresh_host)
    yield host
    await host.close()


async def reach(lab: Lab, host: LabHost) -> Host:
    """Return `host` as alice reaches it by SSH, connected."""
    far = open_host(Destination(host.name, host.name, str(lab.ssh_config)), Nobody(), Gates())
    await far.connect()
    return far

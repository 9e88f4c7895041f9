"""Hosts to test against: this machine, a real sshd, and asyncssh's own server in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jupytui.hosts.base import Host
from jupytui.hosts.local import LocalHost
from tests.hosts.account import Account
from tests.hosts.server import Serve, Server
from tests.hosts.sshd import Sshd, why_no_sshd


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "ssh")


@pytest.fixture
def sshd(tmp_path: Path, account: Account) -> Iterator[Sshd]:
    """A real sshd, not started yet; the account knows it as `box`."""
    if reason := why_no_sshd():
        pytest.skip(reason)
    daemon = Sshd(tmp_path / "sshd", account.key.export_public_key())
    account.know(daemon.port, daemon.key)
    account.add_host("box", daemon.port)
    yield daemon
    daemon.stop()


@pytest.fixture
async def box(sshd: Sshd, account: Account) -> AsyncIterator[Host]:
    """A host on a real sshd with default limits, connected."""
    sshd.start()
    host = account.open("box")
    await host.connect()
    yield host
    await host.close()


@pytest.fixture(params=["local", "ssh"])
async def host(request: pytest.FixtureRequest, account: Account) -> AsyncIterator[Host]:
    """This machine twice: directly, and through a real sshd."""
    if request.param == "ssh":
        request.getfixturevalue("sshd").start()
    opened = LocalHost() if request.param == "local" else account.open("box")
    await opened.connect()
    yield opened
    await opened.close()


@pytest.fixture
async def serve(account: Account) -> AsyncIterator[Serve]:
    """Start servers: `serve("name", known=…, lines=[…], **fields of Server)`."""
    servers = []

    async def start(name: str = "box", *, known: bool = True, lines: tuple[str, ...] = (), **fields: object) -> Server:
        server = Server(**fields)  # type: ignore[arg-type]
        await server.start()
        servers.append(server)
        account.add_host(name, server.port, *lines)
        if known:
            account.know(server.port, server.host_keys[0])
        return server

    yield start
    for server in servers:
        await server.stop()

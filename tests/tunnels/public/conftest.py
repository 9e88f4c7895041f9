"""Shares on a stand-in agent (stand_in_ngrok_agent.py), and who visits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupytui.secret import Secret
from jupytui.tunnels.models import Address, Behind, Status, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public.agent import Agent
from jupytui.tunnels.public.ngrok import NgrokShare
from tests.tunnels.public.stand_in import (
    MARKER,
    StandInServer,
    Statuses,
    jupyter_server,
    place_stand_in,
)

PROMISE = 10.0  # seconds to a message


@dataclass
class Desk:
    """An agent with its stand-in binary, and shares on it."""

    binary: Path
    directory: Path
    agent: Agent
    server: StandInServer
    token: Secret | None = None

    def share(self, to: Address | None, name: str = "lab", domain: str = "", behind: Behind | None = None) -> Shared:
        statuses = Statuses()
        tunnel = Tunnel(name, "gpu1", TunnelKind.PUBLIC, to=to, domain=domain, behind=behind)
        share = NgrokShare(tunnel, self.agent, self._find_token, lambda: statuses(share.status()))
        return Shared(share, statuses)

    async def _find_token(self) -> Secret | None:
        return self.token


@dataclass
class Shared:
    share: NgrokShare
    statuses: Statuses

    async def __aenter__(self) -> Shared:
        self.share.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.share.close()

    async def until(self, wanted: Callable[[Status], bool] | TunnelState) -> Status:
        return await self.statuses.until(wanted)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    binary = place_stand_in(tmp_path / "bin")
    agent = Agent(tmp_path / "state" / "ngrok", lambda: binary)
    async with jupyter_server() as server:
        yield Desk(binary, tmp_path / "state" / "ngrok", agent, server, Secret(MARKER))
    await agent.close()
    assert not list((tmp_path / "state" / "ngrok").glob("*")), "something was left of an agent"


async def visit(url: str) -> bytes:
    """Return what a visitor of `url` gets; the name is not resolved, the stand-in's internet is 127.0.0.1."""
    name, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(f"GET /lab HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def descendants(of: int) -> set[int]:
    """Every process below `of`, and those that the agent's session holds: the watcher is nobody's child."""
    found: set[int] = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent, _, session = (directory / "stat").read_text().rpartition(") ")[2].split()[1:4]
            if of in {int(parent), int(session)}:
                found |= {int(directory.name)}
    return found.union(*(descendants(pid) for pid in found if pid != of)) if found else found


async def come_true(condition: Callable[[], object]) -> None:
    """Wait for something that nobody tells of."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def closed_port() -> Address:
    async with jupyter_server() as server:
        return server.to

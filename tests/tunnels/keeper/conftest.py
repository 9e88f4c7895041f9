"""Keepers for tests, and whatever else one needs to meet them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupytui.config.paths import Paths, find_paths
from jupytui.tunnels.keeper import spawn
from jupytui.tunnels.keeper.client import KeeperClient
from jupytui.tunnels.keeper.lair import Lair
from jupytui.tunnels.keeper.listed import ListedHosts
from jupytui.tunnels.keeper.place import Place, find_place
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address, Status, Tunnel
from tests.tunnels.keeper.stand_in import StandInBoard

ROOT = Path(spawn.__file__).parents[3]


@pytest.fixture
def paths(home: Path) -> Paths:
    hosts = home / "hosts.toml"
    hosts.write_text("[hosts.locked]\nssh = 'nobody.invalid'\n")
    return find_paths(str(hosts))


@pytest.fixture
def place(paths: Paths) -> Iterator[Place]:
    found = find_place(paths)
    yield found
    for pid in keepers(found):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let front ends and keepers that start from now on call themselves that version."""

    def use(version: str) -> None:
        def command(hosts: Path, *options: str) -> tuple[str, ...]:
            return (sys.executable, "-P", "-m", "tests.tunnels.keeper.other_version", version, *options, str(hosts))

        monkeypatch.setattr(spawn, "command", command)
        monkeypatch.setattr("jupytui.tunnels.keeper.client.__version__", version)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))

    return use


def keepers(place: Place) -> set[int]:
    """The processes that keep tunnels for this hosts.toml."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (directory / "cmdline").read_bytes().split(b"\0")
            if os.fsencode(place.hosts) in words and b"-m" in words and b"--detach" in words:
                found.add(int(directory.name))
    return found


@pytest.fixture
async def keeper(place: Place) -> AsyncIterator[Keeper]:
    """A keeper in this process, with a stand-in for the switchboard."""
    lair = Lair.take(place)
    assert lair
    keeper = Keeper(lair, ListedHosts(place.hosts).open, make_board=StandInBoard)
    running = asyncio.create_task(keeper.run())
    yield keeper
    keeper.leave()
    await running


@pytest.fixture
async def echo() -> AsyncIterator[Address]:
    """The address of a server on this machine that says back what it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield Address(*server.sockets[0].getsockname())
    server.close()


def tunnel(to: Address, name: str = "t", host: str = "local") -> Tunnel:
    return Tunnel(name, host, local=Address("127.0.0.1", 0), to=to)


async def until(client: KeeperClient, holds: Callable[[dict[str, Status]], object], seconds: float = 30) -> None:
    """Wait until the client knows something."""
    changed = asyncio.Event()
    stop = client.subscribe(lambda _name, _status: changed.set())
    try:
        async with asyncio.timeout(seconds):
            while not holds({status.tunnel.name: status for status in client.statuses()}):
                await changed.wait()
                changed.clear()
    finally:
        stop()


async def says_back(address: Address | None, word: bytes = b"hello") -> bool:
    """Whether the server behind a tunnel answers."""
    assert address
    if address.path:
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(word)
    try:
        return await reader.readexactly(len(word)) == word
    finally:
        writer.close()


async def until_gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours; whoever has to reap it may take its time."""
    with suppress(FileNotFoundError, ProcessLookupError):
        while " Z " not in Path(f"/proc/{pid}/stat").read_text():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


async def only_keeper(place: Place) -> int:
    """The one keeper, once others that found it there have left."""
    async with asyncio.timeout(30):
        while len(found := keepers(place)) != 1:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    return found.pop()

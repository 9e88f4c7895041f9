"""Tunnels of this process to hosts of the lab, and a server there that tells what came."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from jupytui.hosts.base import Destination, Nobody, Prompter
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.tunnels.models import Address, Status, Tunnel, TunnelState
from jupytui.tunnels.switchboard import Switchboard
from tests.lab.host import LabHost
from tests.lab.lab import Lab

PORT = 9910
SOCKET = "/home/alice/server.sock"
SOON = 20.0  # seconds: for what should be there in a moment, on a machine that has a lot to do
DROP = "pkill -KILL -f '^sshd: alice'"  # what carries alice's connections

# Answers GET by HTTP; anything else comes back as it is, and at its end "<so many bytes>".
SERVER = """
import os, socket, sys, threading
def serve(client):
    try:
        with client:
            count = 0
            while data := client.recv(65536):
                if data.startswith(b"GET "):
                    body = b"hello from " + socket.gethostname().encode()
                    head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(body)
                    return client.sendall(head + body)
                count += len(data)
                client.sendall(data)
            client.sendall(b"<%d>" % count)
    except OSError:
        pass
def listen(server):
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
unix.listen(100)
threading.Thread(target=listen, args=(unix,), daemon=True).start()
server = socket.create_server(("0.0.0.0", int(sys.argv[2])), backlog=4096)
print("listening", flush=True)
listen(server)
"""


class Board(Switchboard):
    """Keeps what was reported, and waits for what is expected."""

    def __init__(self, config: Path, prompter: Prompter | None = None) -> None:
        self.reported: list[Status] = []
        self.news = asyncio.Event()
        gates = Gates()
        super().__init__(
            lambda name, asks: open_host(Destination(name, name, str(config)), asks, gates),
            prompter or Nobody(),
            self._report,
        )

    def _report(self, status: Status) -> None:
        self.reported.append(status)
        self.news.set()

    def status(self, name: str = "t") -> Status:
        return next(status for status in self.statuses() if status.tunnel.name == name)

    def port(self, name: str = "t") -> int:
        local = self.status(name).local
        assert local
        return local.port

    async def until(self, reached: Callable[[], bool], seconds: float = SOON) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            pytest.fail(f"after {seconds:g} s: {self.statuses()}")

    async def until_state(self, state: TunnelState, name: str = "t", seconds: float = SOON) -> Status:
        await self.until(lambda: self.status(name).state is state, seconds)
        return self.status(name)

    async def tunnel(self, host: str, name: str = "t", to: Address | None = None) -> int:
        """Bring a tunnel to the server on `host` up; its port here."""
        await self.add(Tunnel(name, host, to=to or Address("127.0.0.1", PORT)))
        await self.until_state(TunnelState.UP, name)
        return self.port(name)


@contextlib.contextmanager
def server_on(host: LabHost) -> Iterator[LabHost]:
    with host.spawn('rm -f "$2"; exec python3 -c "$1" "$2" "$3"', SERVER, SOCKET, str(PORT)) as process:
        assert process.stdout
        process.stdout.readline()
        yield host
        process.kill()


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    """A host with the server."""
    with server_on(lab.host("fw1")) as host:
        yield host


@contextlib.asynccontextmanager
async def board_of(config: Path, prompter: Prompter | None = None) -> AsyncIterator[Board]:
    made = Board(config, prompter)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def board(lab: Lab) -> AsyncIterator[Board]:
    async with board_of(lab.ssh_config) as made:
        yield made


async def talk(port: int | Path, said: bytes = b"hello", end: bool = True) -> bytes:
    """Say something to the server behind `port` and return all it says, until its end. Raises OSError."""
    if isinstance(port, Path):
        reader, writer = await asyncio.open_unix_connection(port)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        if end:
            writer.write_eof()
        return await reader.read(-1)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that announces itself to nobody."""
    async with asyncio.timeout(SOON):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def get(port: int | Path) -> bytes:
    return await talk(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", end=False)

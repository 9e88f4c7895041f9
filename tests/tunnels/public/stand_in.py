"""Puts the STAND-IN agent where a test wants an `ngrok`, and a STAND-IN for a Jupyter server behind a share."""

from __future__ import annotations

import asyncio
import json
import shlex
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jupytui.tunnels.models import Address, Status, TunnelState
from tests.tunnels.public import stand_in_ngrok_agent

MARKER = "2tokenMARKERtoken_9f8e7d6c5b4a"


def place_stand_in(directory: Path, **settings: object) -> Path:
    """Return an executable named ngrok that is the stand-in; `set_stand_in` changes what the next start does."""
    directory.mkdir(parents=True, exist_ok=True)
    binary = directory / "ngrok"
    set_stand_in(binary, **settings)
    words = (sys.executable, stand_in_ngrok_agent.__file__, str(directory / "settings.json"))
    binary.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    binary.chmod(0o700)
    return binary


def set_stand_in(binary: Path, **settings: object) -> None:
    (binary.parent / "settings.json").write_text(json.dumps(settings))


# What a stranger is answered at these paths (measured on jupyter_server 2.21): status, headers and body.
SHUT = {
    "/login": ("200 OK", "", '<input type="password">'),
    "/api": ("200 OK", "", '{"version": "2.21.1"}'),
    "/api/status": ("403 Forbidden", "", '{"message": "Forbidden"}'),
}
OPEN = SHUT | {"/login": ("302 Found", "Location: /\r\n", ""), "/api/status": ("200 OK", "", '{"kernels": 0}')}
ANOTHER_PROGRAM = {"/login": SHUT["/login"]}
UNCLEAR = SHUT | {"/login": ("404 Not Found", "", ""), "/api/status": ("404 Not Found", "", "")}
Answers = dict[str, tuple[str, str, str]]


@dataclass
class StandInServer:
    """What answers at `to`; `heads` are those of requests for anything but what is looked at to know the server."""

    to: Address
    answers: Answers
    base_url: str
    heads: list[bytes] = field(default_factory=list)

    def answer(self, head: bytes) -> bytes:
        path = head.split()[1].decode().partition("?")[0]
        known = self.answers.get(path.removeprefix(self.base_url.rstrip("/"))) if self._ours(path) else None
        if known is None:
            self.heads.append(head)
        status, headers, body = known or ("200 OK", "", "hello")
        end = f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        return f"HTTP/1.1 {status}\r\n{headers}{end}".encode()

    def _ours(self, path: str) -> bool:
        return path.startswith(self.base_url)


@asynccontextmanager
async def jupyter_server(
    answers: Answers = SHUT, port: int = 0, base_url: str = "/", tls: ssl.SSLContext | None = None
) -> AsyncIterator[StandInServer]:
    """A STAND-IN for a Jupyter server, on 127.0.0.1."""
    server = StandInServer(Address("127.0.0.1", port), answers, base_url)

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, OSError):
            writer.write(server.answer(await reader.readuntil(b"\r\n\r\n")))
            await writer.drain()

    async with await asyncio.start_server(asked, "127.0.0.1", port, ssl=tls) as listening:
        server.to = Address("127.0.0.1", listening.sockets[0].getsockname()[1])
        yield server


class Statuses:
    """Each status that was told, and waiting for one."""

    def __init__(self) -> None:
        self.all: list[Status] = []
        self._new = asyncio.Event()

    def __call__(self, status: Status) -> None:
        self.all.append(status)
        self._new.set()

    async def until(self, wanted: Callable[[Status], bool] | TunnelState, seconds: float = 30) -> Status:
        """Wait until the last status is one that is `wanted`."""
        async with asyncio.timeout(seconds):
            while not (self.all and self._is(self.all[-1], wanted)):
                self._new.clear()
                await self._new.wait()
        return self.all[-1]

    def _is(self, status: Status, wanted: Callable[[Status], bool] | TunnelState) -> bool:
        return status.state is wanted if isinstance(wanted, TunnelState) else wanted(status)

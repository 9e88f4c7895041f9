"""A socket to an SSH server: by TCP, whichever address answers first, or through a ProxyCommand."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from jupytui.hosts.buffer import Tail
from jupytui.hosts.ssh_config import Resolved

HEAD_START = 0.25  # seconds before the next address is tried as well (RFC 8305)

# A name server that does not answer holds a thread for many seconds; the loop's own few threads are for others.
_names = ThreadPoolExecutor(64, "jupytui-names")

Address = tuple[socket.AddressFamily, tuple[str, int]]


async def connect(hop: Resolved) -> socket.socket:
    """Return a connected socket. Raises socket.gaierror, ConnectionRefusedError or another OSError."""
    return await _race(hop, await _addresses(hop))


async def _race(hop: Resolved, addresses: list[Address]) -> socket.socket:
    begun: set[asyncio.Task[socket.socket]] = set()
    error: OSError = OSError("no address")
    try:
        while addresses or begun:
            if addresses:
                begun.add(asyncio.create_task(_dial(hop, *addresses.pop(0))))
            done, _ = await asyncio.wait(
                begun, timeout=HEAD_START if addresses else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in done:
                begun.remove(attempt)
                if not (failure := attempt.exception()):
                    return attempt.result()
                if not isinstance(failure, OSError):
                    raise failure
                error = failure
        raise error
    finally:
        for attempt in begun:
            discard(attempt)


def discard(attempt: asyncio.Task[socket.socket]) -> None:
    """Give it up, and close the socket if it has got there in this very moment."""
    attempt.cancel()
    attempt.add_done_callback(_close)


def _close(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and not attempt.exception():
        attempt.result().close()


async def knock(hop: Resolved, deadline: float) -> bool | None:
    """Whether `hop` takes a TCP connection within `deadline` seconds; None when a ProxyCommand leads there.

    Finding its address has no deadline here: a lookup that is given up goes on in its thread, and the next beside it.
    """
    if hop.proxy_command:
        return None
    try:
        addresses = await _addresses(hop)
        async with asyncio.timeout(deadline):
            (await _race(hop, addresses)).close()
    except OSError:
        return False
    return True


async def _addresses(hop: Resolved) -> list[Address]:
    try:
        number = ipaddress.ip_address(hop.hostname.partition("%")[0])
    except ValueError:
        return await _named(hop)
    family = socket.AF_INET6 if number.version == 6 else socket.AF_INET
    return [(family, (hop.hostname, hop.port))]


async def _named(hop: Resolved) -> list[Address]:
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(
        _names, socket.getaddrinfo, hop.hostname, hop.port, hop.family, socket.SOCK_STREAM
    )
    return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]  # v6 addresses are longer


async def _dial(hop: Resolved, family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if hop.bind_address:
            sock.bind((hop.bind_address, 0))
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


class Proxy:
    """A ProxyCommand under way. Its stderr is kept apart: asyncssh would take it for the server's words (measured)."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self._tail = Tail(4096)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: str) -> tuple[Proxy, socket.socket]:
        """Run `command` as OpenSSH does; returns it and the socket that is its stdin and stdout."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            child = await asyncio.create_subprocess_exec(
                os.environ.get("SHELL") or "/bin/sh",
                "-c",
                f"exec {command}",
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(child), ours

    async def _read(self) -> None:
        assert self._child.stderr
        while data := await self._child.stderr.read(4096):
            self._tail.feed(data)

    @property
    def said(self) -> bytes:
        """The last 4 KiB of its stderr."""
        return bytes(self._tail)

    async def close(self) -> None:
        """End it and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(2):
                await self._child.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            await self._child.wait()
        self._reader.cancel()

"""asyncssh's own server, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncssh


class Gatekeeper(asyncssh.SSHServer):
    """asyncssh's server side; what it was offered is kept."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rounds = list(server.rounds)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.connections.append(conn)
        if self._server.banner:
            conn.send_auth_banner(self._server.banner)

    def begin_auth(self, username: str) -> bool:
        self._server.offers.append(f"user {username}")
        return True

    def public_key_auth_supported(self) -> bool:
        return bool(self._server.keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._server.offers.append(f"key {key.get_fingerprint()}")
        return any(key.get_fingerprint() == known.get_fingerprint() for known in self._server.keys)

    def password_auth_supported(self) -> bool:
        return self._server.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        self._server.offers.append(f"password {password}")
        return password == self._server.password

    def kbdint_auth_supported(self) -> bool:
        return bool(self._server.rounds)

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return self._challenge()

    def _challenge(self) -> tuple[str, str, str, list[tuple[str, bool]]]:
        question, _ = self._rounds[0]
        return "", "", "", [(question, False)] if question else []

    def validate_kbdint_response(
        self, username: str, responses: Sequence[str]
    ) -> bool | tuple[str, str, str, list[tuple[str, bool]]]:
        self._server.offers.append(f"answers {list(responses)}")
        _, right = self._rounds.pop(0)
        if list(responses) != ([right] if right else []):
            self._rounds = list(self._server.rounds)
            return False
        return True if not self._rounds else self._challenge()

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True


async def pump(source: Any, sink: Any) -> None:
    """Copy one direction of a connection: asyncio's or asyncssh's streams."""
    with suppress(OSError, asyncssh.Error):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def feed(source: Any, sink: Any) -> None:
    """Copy one direction and then end it."""
    try:
        await pump(source, sink)
    finally:
        sink.close()


@dataclass
class Server:
    """An SSH server in this process. `rounds`: (question, right answer) of keyboard-interactive, "" asks nothing."""

    keys: list[asyncssh.SSHKey] = field(default_factory=list)
    password: str | None = None
    rounds: list[tuple[str, str]] = field(default_factory=list)
    banner: str = ""
    host_keys: list[asyncssh.SSHKey] = field(default_factory=lambda: [asyncssh.generate_private_key("ssh-ed25519")])
    shell: str = "/bin/sh"
    offers: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    port: int = 0
    acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def credentials(self) -> list[str]:
        """What was offered to get in, besides a name."""
        return [offer for offer in self.offers if not offer.startswith("user ")]

    async def start(self) -> None:
        self.acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: Gatekeeper(self),
            server_host_keys=self.host_keys,
            process_factory=self._run,
            encoding=None,
            gss_host=None,
        )
        self.port = self.acceptor.get_port()

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        child = await asyncio.create_subprocess_exec(
            self.shell,
            "-c",
            process.command or "",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert child.stdin
        assert child.stdout
        assert child.stderr
        feeding = asyncio.create_task(feed(process.stdin, child.stdin))
        await asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
        status = await child.wait()
        feeding.cancel()
        process.exit(status)

    async def stop(self) -> None:
        if self.acceptor:
            self.acceptor.close()
            for connection in self.connections:
                connection.abort()
            await self.acceptor.wait_closed()
            await asyncio.gather(*(connection.wait_closed() for connection in self.connections))


Serve = Callable[..., Awaitable[Server]]

"""Hosts to test against: this machine, a real sshd, and asyncssh's own server in this process."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from jupytui.hosts.base import Destination, Host, Prompter, SecretPrompt, UnknownKey
from jupytui.hosts.limits import Gates
from jupytui.hosts.local import LocalHost
from jupytui.hosts.open import open_host
from jupytui.secret import Secret


@dataclass
class Person:
    """A prompter with prepared answers; None declines. `pause` is how long each answer takes to type, in seconds."""

    answers: list[str | None] = field(default_factory=list)
    trusts: bool = False
    pause: float = 0
    asked: list[SecretPrompt] = field(default_factory=list)
    shown: list[UnknownKey] = field(default_factory=list)

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        self.asked.append(prompt)
        await asyncio.sleep(self.pause)
        answer = self.answers.pop(0) if self.answers else None
        return None if answer is None else Secret(answer)

    async def trust(self, question: UnknownKey) -> bool:
        self.shown.append(question)
        return self.trusts


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def processes(mark: str) -> list[str]:
    """Return the command lines of living processes that contain `mark`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if mark in line:
                found.append(line)
    return found


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that announces itself to nobody (the test's own timeout bounds it)."""
    while not reached():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def running(command: str, count: int) -> None:
    """Wait until `count` processes run `command` itself, or for 0 until nothing so much as mentions it."""
    await until(lambda: [line.strip() for line in processes(command)].count(command) == count)
    if not count:
        await until(lambda: not processes(command))


def a_nap() -> str:
    """Return a sleep command that no other test uses, longer than any test."""
    return f"sleep {secrets.randbelow(10**6) + 10**6}"


@dataclass
class Account:
    """The user's side of SSH: a configuration, keys and known_hosts in a directory of their own."""

    directory: Path

    def __post_init__(self) -> None:
        self.directory.mkdir(mode=0o700)
        self.key = self.new_key("id")

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def config(self) -> Path:
        return self.directory / "config"

    def new_key(self, name: str, passphrase: str | None = None) -> asyncssh.SSHKey:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=name)
        path = self.directory / name
        path.write_bytes(key.export_private_key(passphrase=passphrase))
        path.chmod(0o600)
        return key

    def know(self, port: int, key: asyncssh.SSHKey, marker: str = "") -> None:
        line = f"{marker} [127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"
        with self.known_hosts.open("a") as stream:
            stream.write(line.lstrip())

    def add_host(self, name: str, port: int, *lines: str) -> None:
        options = "".join(f"  {line}\n" for line in lines)
        entry = f"""Host {name}
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
{options}  IdentityFile {self.directory / "id"}
  IdentitiesOnly yes
  IdentityAgent none
  HashKnownHosts no
  UserKnownHostsFile {self.known_hosts}
  GlobalKnownHostsFile {self.directory / "missing"}

"""
        with self.config.open("a") as stream:
            stream.write(entry)

    def open(self, name: str, prompter: Prompter | None = None, gates: Gates | None = None) -> Host:
        destination = Destination(name, name, str(self.config))
        return open_host(destination, prompter or Person(), gates or Gates())


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "ssh")


class Sshd:
    """A real sshd on 127.0.0.1 that lets this user in with the account's key; `said` is its log."""

    def __init__(self, directory: Path, authorized: bytes) -> None:
        directory.mkdir(mode=0o700)
        self.directory = directory
        self.port = free_port()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        (directory / "host_key").write_bytes(self.key.export_private_key())
        (directory / "host_key").chmod(0o600)
        (directory / "authorized_keys").write_bytes(authorized)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *lines: str) -> None:
        config = self.directory / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    *lines,
                    f"ListenAddress 127.0.0.1:{self.port}",
                    f"HostKey {self.directory / 'host_key'}",
                    f"AuthorizedKeysFile {self.directory / 'authorized_keys'}",
                    "PidFile none",
                    "StrictModes no",
                    "UsePAM no",
                    "PermitRootLogin yes",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "",
                ]
            )
        )
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert sshd
        log = (self.directory / "log").open("wb")
        self._process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=log)
        log.close()
        self._wait()

    def _wait(self) -> None:
        assert self._process
        while self._process.poll() is None:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise AssertionError((self.directory / "log").read_text())

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


def why_no_sshd() -> str:
    if not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return "no sshd here (Debian: openssh-server)"
    if os.getuid():
        return "sshd needs root to log a user in"
    Path("/run/sshd").mkdir(exist_ok=True)
    return ""


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

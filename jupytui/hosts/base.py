"""What a machine is to the rest of the house: something that runs commands, holds files and opens connections.

Two implementations: `local.LocalHost` (this machine) and `ssh.SshHost`. Both supply `spawn`, `open_tcp` and
`open_unix`; everything else is built once, on top of these, in `command.CommandHost`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from jupytui.config.model import Config, HostEntry
from jupytui.errors import JupytuiError
from jupytui.hosts.state import HostState as HostState  # noqa: PLC0414 - given on to all who deal with hosts
from jupytui.secret import Secret


class HostTrouble(JupytuiError):
    """A host cannot be used now; `state` says in which way, `retry` whether trying again by itself makes sense.

    An authentication failure or a changed key is exactly one attempt: OpenSSH >= 9.8 bans fast retry loops
    (PerSourcePenalties), and a credential is never sent to a host whose key changed.
    """

    def __init__(self, state: HostState, message: str, hint: str = "", *, detail: str = "") -> None:
        super().__init__(message, hint, detail=detail)
        self.state = state

    @property
    def retry(self) -> bool:
        """Whether the same attempt may succeed later without the user doing anything."""
        return self.state in {HostState.UNREACHABLE, HostState.REFUSED, HostState.DOWN}


class Stream(Protocol):
    """Bytes both ways: a TCP or unix connection opened on the far side."""

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes as they come, b"" at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send `data`; waits while the other side is slow. Raises OSError when the connection is gone."""
        ...

    async def write_eof(self) -> None:
        """Say that nothing more will be sent; reading goes on."""
        ...

    async def close(self) -> None:
        """End it in both directions; nothing is left behind. Safe to call twice."""
        ...


class Process(Stream, Protocol):
    """A command under way. As a stream it is its stdin and stdout; stderr is kept apart, the last 64 KiB of it."""

    @property
    def stderr(self) -> bytes:
        """What it wrote to stderr so far (the last 64 KiB)."""
        ...

    async def wait(self) -> int | None:
        """Wait for its end; the exit status, negative for a signal, None when the connection was lost."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended by itself."""

    status: int
    stdout: bytes
    stderr: bytes


class Shell(Protocol):
    """The one resident POSIX sh of a host's connection: it answers questions in turn and ends with the connection."""

    async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
        """Run `script` (sh source that reads no stdin) in the shell and return what it printed on stdout.

        Definitions stay, so functions are sent once. Raises DeadlineError; the shell is then closed, because its
        next answer could not be told from the late one, and HostTrouble when it is gone.
        """
        ...


# Makes the protocol of a connection that has come in. Raises OSError to have it refused.
Accept = Callable[[], Awaitable[asyncio.Protocol]]


class Listener(Protocol):
    """A socket that listens on a machine."""

    def get_port(self) -> int:
        """Return its TCP port."""
        ...

    def close(self) -> None:
        """Listen no more; what has come in stays open."""
        ...


class Host(Protocol):
    """A machine. Every method may raise HostTrouble; none of them retries."""

    @property
    def name(self) -> str:
        """The name the user gave it (`local` is this machine)."""
        ...

    @property
    def address(self) -> str:
        """Where it is, for display: `user@10.0.0.5:22`, or `local`."""
        ...

    @property
    def connected(self) -> bool:
        """Whether a connection is up now, as far as anybody knows."""
        ...

    async def connect(self) -> None:
        """Be connected: returns at once when it is, joins an attempt under way, else dials once. Raises HostTrouble."""
        ...

    async def shell(self) -> Shell:
        """Return the resident shell of the current connection; starts it if needed."""
        ...

    async def run(
        self, script: str, *args: str, stdin: bytes = b"", deadline: float = 30.0, max_output: int = 16 * 2**20
    ) -> Finished:
        """Run sh source `script` with `args` as $1, $2 …; `stdin` is all it can read.

        Not for secrets in `script` or `args` (they are seen in the host's process list): those go by `stdin`.
        When cancelled, or past its `deadline` (seconds, DeadlineError), its whole process group is ended and the
        session closed before this returns. Output past `max_output` bytes ends it with CommandError.
        """
        ...

    def stream(self, script: str, *args: str) -> AbstractAsyncContextManager[Process]:
        """Run `script` for as long as the context is held; leaving it ends the whole process group."""
        ...

    async def read(self, path: str, max_bytes: int = 4 * 2**20) -> bytes:
        """Return a file's bytes.

        Raises FileNotFoundError, PermissionError, and CommandError when it is longer than `max_bytes`.
        """
        ...

    async def write(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Replace a file atomically: it is as before or wholly new, never wider than `mode` at any moment.

        A planted symlink at `path` is replaced, not followed. Raises PermissionError, CommandError.
        """
        ...

    async def open_tcp(self, host: str, port: int) -> Stream:
        """Connect, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""
        ...

    async def open_unix(self, path: str) -> Stream:
        """Connect, on the far side, to a unix socket. Raises OSError."""
        ...

    async def attach_tcp(self, protocol: asyncio.Protocol, host: str, port: int) -> None:
        """As `open_tcp`, by callbacks: `protocol` gets a transport that is made for much data, its reading not paused.

        What `protocol.data_received` gets may be any bytes-like object.
        """
        ...

    async def attach_unix(self, protocol: asyncio.Protocol, path: str) -> None:
        """As `open_unix`, by callbacks."""
        ...

    async def listen_tcp(self, accept: Accept, host: str, port: int) -> Listener:
        """Listen on the far side, for as long as the connection is up; port 0: any. Raises OSError."""
        ...

    async def listen_unix(self, accept: Accept, path: str) -> Listener:
        """Listen at a path on the far side. Raises OSError, also when there is a file of that name."""
        ...

    async def wait_lost(self) -> None:
        """Return when the connection that is up now is gone; at once when there is none."""
        ...

    def drop(self) -> None:
        """Let go of the connection at once, without a word to the other side, which may not be there any more."""
        ...

    async def knock(self, deadline: float = 1.0) -> bool | None:
        """Whether the first machine on the way takes a TCP connection now, `deadline` in seconds; None: unknown."""
        ...

    async def close(self) -> None:
        """End the connection and everything that runs through it."""
        ...


class SecretKind(StrEnum):
    """What is asked for."""

    PASSWORD = "password"
    PASSPHRASE = "passphrase"
    TOKEN = "token"  # of a service
    CODE = "code"  # keyboard-interactive: a one-time password or anything else the host asks


@dataclass(frozen=True, slots=True)
class SecretPrompt:
    """A question for something secret. `text` is a sentence of ours or the host's own words, already cleaned."""

    host: str
    kind: SecretKind
    text: str
    echo: bool = False
    again: bool = False  # the last answer was refused


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key as OpenSSH shows it: `algorithm` "ED25519", `fingerprint` "SHA256:…", `where` "file:line" or ""."""

    algorithm: str
    fingerprint: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A host whose key nobody has vouched for yet."""

    host: str
    address: str
    key: HostKey


class Prompter(Protocol):
    """Reaches the person. The full-screen program, the command line and the tests each have one.

    A prompt may stay unanswered for as long as the person likes; the login's own clocks stand still meanwhile.
    """

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Return the answer, or None: nobody is there, or the person declined."""
        ...

    async def trust(self, question: UnknownKey) -> bool:
        """Whether the person vouches for this key (it is then written to known_hosts)."""
        ...


class Nobody:
    """The prompter for when nobody can be asked."""

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Decline."""
        return None

    async def trust(self, question: UnknownKey) -> bool:
        """Decline."""
        return False


@dataclass(frozen=True, slots=True)
class Destination:
    """How to reach a host, from hosts.toml: `ssh` is whatever `ssh …` accepts, None for this machine."""

    name: str
    ssh: str | None = None
    ssh_config: str | None = None
    tags: Sequence[str] = ()


def destination(config: Config, entry: HostEntry) -> Destination:
    """Return how a host of the configuration is reached."""
    return Destination(entry.name, entry.ssh, config.settings.ssh_config, entry.tags)

"""What Jupyter is on a machine: servers and kernels as plain frozen values.

Field names and meaning are those of `status --json` (see README); sizes in bytes, times aware UTC, unknown is None.
No field holds a secret: tokens stay with `jupyter.access`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class App(StrEnum):
    """Which program serves."""

    LAB = "lab"
    NOTEBOOK = "notebook"
    SERVER = "server"
    CLASSIC = "classic"  # notebook <= 6
    HUB = "hub"  # a jupyterhub-singleuser


class Auth(StrEnum):
    """How a server lets people in."""

    TOKEN = "token"
    PASSWORD = "password"
    BOTH = "token+password"
    NONE = "none"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What is known of a server."""

    OK = "ok"
    STARTING = "starting"  # the process is there, nothing answers yet
    SILENT = "silent"  # it should answer and does not
    OPEN = "open"  # answers, and anybody who can reach it is let in, from other machines too
    LOCKED = "locked"  # answers, but we hold no credentials: kernels are from files and processes
    STALE = "stale"  # runs no more: only its runtime file is there, or it was seen before
    UNREADABLE = "unreadable"  # belongs to another user: only its process and socket are seen


class KernelState(StrEnum):
    """What a kernel does, as its server says; `UNKNOWN` where only its process is seen."""

    IDLE = "idle"
    BUSY = "busy"
    STARTING = "starting"
    RESTARTING = "restarting"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Unit(msgspec.Struct, frozen=True):
    """The systemd unit that owns a process: `scope` is "user" or "system"."""

    name: str
    scope: str


class Log(msgspec.Struct, frozen=True):
    """Where a server's stdout goes: kind "journal", "file", "pipe", "terminal", "null" or "unknown"."""

    kind: str
    where: str | None = None


class Tls(msgspec.Struct, frozen=True):
    """The certificate a server shows in its handshake."""

    issuer: str | None = None
    not_after: datetime | None = None
    self_signed: bool | None = None


class Cause(StrEnum):
    """Why a kernel or a server ended that nobody had ended."""

    MEMORY = "out of memory"
    KILLED = "killed"  # by a signal from outside
    CRASHED = "crashed"  # by a signal of its own making: a segmentation fault and its like
    FAILED = "failed"  # it ended itself with an error
    PORT = "port in use"
    CONFIG = "bad configuration"
    DISK = "disk full"
    REBOOT = "reboot"
    UNKNOWN = "unknown"


class Death(msgspec.Struct, frozen=True):
    """An end that was not asked for. `words` follow the name of what ended: "killed: out of memory (cgroup)".

    `evidence` are lines of logs and counters, cleaned and masked. `restarts` of `limit` is what the kernel's restarter
    counted (2/5), None when it said nothing; of a server, how often systemd has brought it back since it was started.
    """

    cause: Cause
    words: str
    at: datetime
    evidence: tuple[str, ...] = ()
    restarts: int | None = None
    limit: int | None = None


class Kernel(msgspec.Struct, frozen=True):
    """One kernel. `path` is its notebook (or console), `cpu_percent` of one core since the look before, at the
    first look since it started.

    `died` is how it ended last, kept until it has worked for an hour since; of one that is `DEAD`, why.
    """

    id: str
    spec: str | None = None
    state: KernelState = KernelState.UNKNOWN
    path: str | None = None
    pid: int | None = None
    cpu_percent: float | None = None
    rss: int | None = None
    gpu_memory: int | None = None
    clients: int | None = None
    restarts: int | None = None
    last_activity: datetime | None = None
    died: Death | None = None


class Server(msgspec.Struct, frozen=True):
    """One server. `id` is `HOST:PORT` or `HOST:/socket`, `HOST:#UNIT` or `HOST:#PID` of one that never listened.

    `url` never holds a token; `pid` is that of its last process.
    `bind` is "loopback", "all" or the address, from the listening sockets; `root_dir` as the server says.
    `died` is how it, or the process of the same id before it, ended last.
    """

    id: str
    pid: int
    app: App
    version: str | None = None
    port: int | None = None
    sock: str | None = None
    base_url: str = "/"
    root_dir: str | None = None
    url: str = ""
    bind: str | None = None
    auth: Auth = Auth.UNKNOWN
    tls: Tls | None = None
    unit: Unit | None = None
    log: Log | None = None
    health: Health = Health.OK
    started_at: datetime | None = None
    last_activity: datetime | None = None
    cpu_percent: float | None = None
    rss: int | None = None
    kernels: tuple[Kernel, ...] = ()
    died: Death | None = None

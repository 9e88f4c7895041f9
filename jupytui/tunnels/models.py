"""What a tunnel is, and how one stands: frozen values that the keeper, its clients and the screens share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jupytui.config.model import TunnelKind as TunnelKind  # noqa: PLC0414 - given on to all who deal with tunnels

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a tunnel: a TCP port on `host`, or the unix socket `path`."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str, host: str = "localhost") -> Address:
        """Read `8888`, `gpu:8888`, `[::1]:8888` or `/run/user/1000/jupyter.sock`. Raises ValueError."""
        if text.startswith("/"):
            return cls(path=text)
        before, colon, port = text.rpartition(":")
        number = int(port)
        if not 0 <= number <= 65535:
            raise ValueError(f"{number} is no port")
        return cls(before.strip("[]") if colon else host, number)

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Behind:
    """The server that a tunnel was made for, so that another one behind a re-used port is noticed.

    `version` is what its `GET /api` answers; `pid` and `started` (seconds since the host's boot, from its process)
    say which process it is. `runs` (`health.runs`) stands for what that process runs: one that was started again, by
    a reboot or by systemd, is the same server. None: not known, and not compared.
    """

    base_url: str = "/"
    secure: bool = False
    version: str | None = None
    pid: int | None = None
    started: float | None = None
    runs: str | None = None


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What a tunnel is meant to be. `host` is a name in hosts.toml.

    local: `local` listens here, `to` is reached from `host`. remote: `to` is reached from here, `local` listens on
    `host`. socks: `local` listens here, and each client says where to. public: a service on the internet leads to
    `to`, reached from here; `domain` is the name it should have there, "" any.
    A `local` with port 0 lets the system choose; the address it got is in `Status.local`.
    """

    name: str
    host: str
    kind: TunnelKind = TunnelKind.LOCAL
    local: Address | None = None
    to: Address | None = None
    domain: str = ""
    behind: Behind | None = None


class TunnelState(StrEnum):
    """How a tunnel stands; the values are those of `status --json`."""

    UP = "up"
    CONNECTING = "connecting"
    WAITING = "waiting"  # the link is gone; `Status.next_try` says when it is tried again
    ASKING = "waiting for you"  # a passphrase, a code or a host's key is needed, and perhaps nobody is there to ask
    FAILED = "failed"  # authentication failed, the key changed, the port is taken: it is not tried again by itself
    WRONG_SERVER = "wrong server"  # it carries, but another server answers than the one it was made for
    NO_SERVER = "no server"  # it carries, but nothing answers behind it
    DOWN = "down"  # taken down by the user


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, as a sentence, and what to do."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """How one tunnel stands now. Times are seconds since the epoch; bytes count what its clients sent and got.

    `local` is where it really listens (None: nowhere); `url` the address on the internet of a public one.
    """

    tunnel: Tunnel
    state: TunnelState
    since: float
    local: Address | None = None
    url: str = ""
    reconnects: int = 0
    open_connections: int = 0
    connections: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    error: Trouble | None = None
    next_try: float | None = None

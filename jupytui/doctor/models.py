"""Findings, and the facts they are made from. Frozen values; no field holds a secret but the configuration's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jupytui.certs.faults import Fault
from jupytui.certs.inspect import Place, Sight
from jupytui.fleet.models import HostView
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Server, Unit
from jupytui.jupyter.settings.discover import Answer
from jupytui.jupyter.settings.edit import TODAY, Knowledge, Wishes
from jupytui.jupyter.settings.models import Entry, Found, Setting, plain
from jupytui.reachability.models import Report
from jupytui.systemd.units import Service, Services


class Severity(StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"  # strangers get in, or nobody does
    WARNING = "warning"
    NOTICE = "notice"  # worth knowing; nothing has to be done


ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, in words; and, where the program can do it, what it does.

    `wishes` are settings to write (they need a restart), `private` paths to close to others, `remove` stale runtime
    files, `migrate` renames legacy keys, `linger` lets user units outlive the login, `start` is a stopped unit.
    """

    words: str
    wishes: Wishes = field(default_factory=dict, repr=False)
    private: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    migrate: bool = False
    linger: bool = False
    start: Unit | None = None

    @property
    def automatic(self) -> bool:
        """Whether `repair` can carry it out."""
        return bool(self.wishes or self.private or self.remove or self.migrate or self.linger or self.start)

    @property
    def restart(self) -> bool:
        """Whether a running server takes it up only when it starts again."""
        return bool(self.wishes or self.migrate)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `id` says what ("exposure.open"), `rule` who found it.

    `server` is "" for what is the host's own. `evidence` are lines: a file and its line, a socket, what was sent and
    what came back. No secrets.
    """

    id: str
    severity: Severity
    title: str
    words: str
    evidence: tuple[str, ...] = ()
    host: str = ""
    server: str = ""
    fix: Fix | None = None
    rule: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others, also in a later run."""
        return (self.host, self.server, self.id, self.title)


@dataclass(frozen=True, slots=True)
class PathFact:
    """A file or directory on the host: `kind` is what it is to Jupyter ("cookie secret"); None: it is not there."""

    path: str
    kind: str
    mode: int | None = None
    uid: int | None = None

    @property
    def open_to_others(self) -> bool:
        """Whether anybody but its owner may read it."""
        wide = 0o055 if self.kind.startswith("runtime directory") else 0o044
        return self.mode is not None and bool(self.mode & wide)


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds `path`, in bytes; `files_free` is the share of inodes that is free (0 to 1)."""

    path: str
    size: int
    free: int
    files_free: float = 1.0


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A server's certificate as it lies there and is shown, and what is wrong with the pair in the files."""

    place: Place
    sight: Sight
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """All that is known of a server. `found` is None where its configuration cannot be seen (`unseen` says why).

    `versions` are those of the packages installed for it. `through` is the check made on its own host, `direct` the
    one from this machine at the host's address, for a server that listens there.
    """

    server: Server
    found: Found | None = None
    answer: Answer | None = None
    unseen: str = ""
    paths: tuple[PathFact, ...] = ()
    uid: int | None = None
    root_exists: bool | None = None
    disks: tuple[Disk, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    tls: TlsFacts | None = None
    through: Report | None = None
    direct: Report | None = None
    service: Service | None = None
    linger: bool | None = None
    addresses: Sequence[str] = ()

    @property
    def knowledge(self) -> Knowledge:
        """What the rules of configuration depend on."""
        return self.answer.knowledge if self.answer else TODAY

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What is configured, by key."""
        return self.knowledge.resolve(self.found) if self.found else ()

    def winner(self, key: str) -> Entry | None:
        """Return the place that decides "Class.trait"; None when nothing is said about it."""
        home = self.knowledge.home(key)
        return next((setting.winner for setting in self.settings if setting.key == home), None)

    def value(self, key: str) -> object:
        """Return what that place says; None when nobody does, or only Jupyter could tell."""
        if self.answer:
            try:
                return plain(self.answer.configured(key))
            except KeyError:
                return None
        winner = self.winner(key)
        return plain(winner.value) if winner and winner.certain else None

    @property
    def exposed(self) -> bool:
        """Whether other machines can connect to it."""
        return self.server.bind not in {None, "loopback"} and not self.server.sock

    @property
    def socket(self) -> str:
        """Where it listens, in words."""
        if self.server.sock:
            return f"listens on {self.server.sock}"
        where = {"loopback": "loopback", "all": "all addresses", None: "?"}.get(self.server.bind, self.server.bind)
        return f"listens on {where}, port {self.server.port}"


class Plight(StrEnum):
    """Why nothing is served by a unit."""

    FAILED = "failed"
    LOOPS = "loops"  # it fails, and systemd starts it again
    STOPPED = "stopped"  # and nothing ailed it


@dataclass(frozen=True, slots=True)
class DownUnit:
    """A unit that should run Jupyter and does not: why, as lines of its log tell."""

    service: Service
    plight: Plight
    cause: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostFacts:
    """All that is known of a host."""

    view: HostView
    servers: tuple[ServerFacts, ...] = ()
    stale: tuple[tuple[Server, tuple[str, ...]], ...] = ()
    services: Services | None = None
    down: tuple[DownUnit, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def up(self) -> bool:
        """Whether it could be looked at."""
        return self.view.state is HostState.UP


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came of it: findings, the worst first; `passed` checks found nothing; `verdicts` say how each server stands.

    `skipped` are sentences about what could not be looked at. `blind` are the rules that lacked their facts, each with
    the server or host that it was about: nothing was proven by them.
    """

    findings: tuple[Finding, ...] = ()
    passed: int = 0
    verdicts: tuple[tuple[str, str], ...] = ()
    skipped: tuple[str, ...] = ()
    blind: frozenset[tuple[str, str]] = frozenset()

    @property
    def worst(self) -> Severity | None:
        """The severity of the first finding."""
        return self.findings[0].severity if self.findings else None

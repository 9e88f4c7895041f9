"""How a server lets people in: what its files say, where, and what is to be said of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from jupytui.hosts.base import Host
from jupytui.jupyter.models import App, Auth, Server
from jupytui.jupyter.settings.discover import Whose, look
from jupytui.jupyter.settings.door import Door, Hash, door
from jupytui.jupyter.settings.edit import TODAY, Knowledge
from jupytui.jupyter.settings.models import Entry, Found, Origin, plain

# Where one of these is set, the secret is not in the file that is looked at.
_SECRETS = ("ServerApp.cookie_secret", "ServerApp.cookie_secret_file")
_SLACK = 2.5  # seconds: when a process started is known to two whole ones


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts after the server's next start: `auth`, and the entries that decide it.

    `changed_at` is when the newest of its files changed; `pending`: after the server had started. `logs_out`: the next
    start ends all sessions, because their secret was removed.
    """

    auth: Auth
    hash: Hash
    password: Entry | None = None
    token: Entry | None = None
    warnings: tuple[str, ...] = ()
    changed_at: datetime | None = None
    pending: bool = False
    logs_out: bool = False
    deprecated: bool = False

    @property
    def decisive(self) -> Entry | None:
        """The entry that lets people in."""
        return self.password or self.token


def whose(server: Server) -> Whose:
    """Return the server meant, for `settings.discover`."""
    return Whose(server.app if server.app in {App.LAB, App.NOTEBOOK} else App.SERVER, server.pid)


async def standing_of(host: Host, server: Server) -> Standing:
    """Look at a server's files (0.1 s). Raises CommandError, DeadlineError, HostTrouble."""
    return standing(await look(host, whose(server)), server.started_at)


def standing(found: Found, started_at: datetime | None = None, knowledge: Knowledge = TODAY) -> Standing:
    """Return what `found` says; `started_at` is when the running server started."""
    entrance = door(found, knowledge.resolve(found))
    password = entrance.password.winner if entrance.password else None
    token = entrance.token.winner if entrance.token else None
    times = [file.mtime for file in found.files if file.mtime is not None and not file.drop_in]
    changed = datetime.fromtimestamp(max(times), UTC) if times else None
    return Standing(
        auth=auth_of(entrance),
        hash=entrance.hash,
        password=password if entrance.hash is not Hash.NONE else None,
        token=token if token and (not token.certain or plain(token.value)) else None,
        warnings=tuple(_warnings(found, entrance)),
        changed_at=changed,
        pending=bool(changed and started_at and (changed - started_at).total_seconds() > _SLACK),
        logs_out=found.sessions_end and not any(knowledge.setting(found, key) for key in _SECRETS),
        deprecated=bool(entrance.deprecated),
    )


def held_at_start(found: Found, started_at: datetime | None) -> bool:
    """Return whether a server that started then knows a password: one that was written since counts later.

    One that a file computes is not counted: whether there is any is known to Jupyter alone.
    """
    now = standing(found)
    if now.password is None or now.hash not in {Hash.ARGON2, Hash.WEAK}:
        return False
    file = found.file(now.password.path)
    written = file.mtime if file else None
    return written is None or started_at is None or written - started_at.timestamp() <= _SLACK


def auth_of(entrance: Door) -> Auth:
    """Return how a server with these settings lets people in."""
    token = entrance.token.winner if entrance.token else None
    if entrance.hash is Hash.UNKNOWN or (token and not token.certain):
        return Auth.UNKNOWN
    has_password = entrance.hash is not Hash.NONE
    has_token = bool(plain(token.value)) if token else bool(entrance.variables)
    if has_password:
        return Auth.BOTH if has_token else Auth.PASSWORD
    # With neither, Jupyter makes a token at every start.
    return Auth.TOKEN if has_token or token is None else Auth.NONE


def _warnings(found: Found, entrance: Door) -> Iterator[str]:
    password = entrance.password.winner if entrance.password else None
    if entrance.open:
        yield "Anybody who can reach it is let in: password and token are set to nothing."
    if entrance.hash is Hash.WEAK and password:
        yield f"The hash at {password.where} is of an old kind that is guessed fast."
    if entrance.hash is Hash.UNUSABLE and password:
        yield f"What stands at {password.where} is no hash: nobody gets in with a password."
    for entry in entrance.deprecated:
        yield f"{entry.key} at {entry.where} is deprecated."
    for entry in entrance.defeated:
        if password and plain(entry.value) != plain(password.value):
            yield f"{entry.key} at {entry.where} counts for nothing: {password.key} is stronger."
    yield from _exposed(found, entrance)


def _exposed(found: Found, entrance: Door) -> Iterator[str]:
    entries = [setting.winner for setting in (entrance.password, entrance.token) if setting and setting.winner]
    for entry in entries:
        if entry.origin is Origin.OPTION and plain(entry.value):
            yield f"{entry.key} is on the command line, where everybody on that machine reads it."
        file = found.file(entry.path)
        if file and file.mode is not None and file.mode & 0o077 and plain(entry.value):
            yield f"Others on that machine can read {file.path} (mode {file.mode:04o})."
    for file in found.files:
        if file.reading.broken:
            then = "the server will not start" if found.fails_closed else "Jupyter starts without it, perhaps open"
            yield f"{file.path} {file.reading.broken.words}: {then}."

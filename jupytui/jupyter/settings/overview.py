"""All that is to be said of a server's configuration: what is applied, from where, what loses, and what is wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from jupytui.errors import CommandError, DeadlineError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.models import App, Server
from jupytui.jupyter.settings.discover import Answer, Whose, ask, look
from jupytui.jupyter.settings.edit import TODAY
from jupytui.jupyter.settings.findings import Finding, Kind, findings
from jupytui.jupyter.settings.models import (
    SECRET_ENDING,
    SECRET_TRAITS,
    ConfigFile,
    Entry,
    Found,
    Origin,
    Setting,
    plain,
)
from jupytui.secret import MASK, Secret
from jupytui.text import clean_line

SLACK = 1.0  # seconds by which clocks of processes and of files differ
_SECRET = re.compile(rf"{SECRET_ENDING}$", re.I)
_KEPT_OUT = re.compile(rb"\b(hashed_password|password|token)\b")
# What is only said, not wrong: names that still work, and statements that nobody can be sure of.
_REMARKS = frozenset({Kind.DEPRECATED, Kind.UNCLEAR})


class State(StrEnum):
    """What becomes of a value."""

    APPLIED = "applied"
    PENDING = "pending"  # its file is newer than the server, which never reads it again
    LOSES = "loses"


@dataclass(frozen=True, slots=True)
class Item:
    """One place that gives a value. `key` is that of the object it reaches; `winner` what a loser loses to."""

    key: str
    state: State
    entry: Entry
    value: object
    winner: Entry | None = None

    @property
    def trait(self) -> str:
        """The part after the class."""
        return self.key.rpartition(".")[2]

    @property
    def text(self) -> str:
        """The value on one line, secrets masked."""
        unknown = not self.entry.certain and self.value is None
        return "computed" if unknown else text_of(self.trait, self.value)


@dataclass(frozen=True, slots=True)
class Overview:
    """`answer` is what Jupyter itself says; None where it could not be asked, which `trouble` tells."""

    found: Found
    settings: tuple[Setting, ...]
    findings: tuple[Finding, ...]
    answer: Answer | None = field(default=None, repr=False)
    trouble: JupytuiError | None = None

    @property
    def unheard(self) -> str:
        """Why Jupyter itself did not answer, with what it said last; "" when it did."""
        if self.trouble is None:
            return ""
        said = clean_line(self.trouble.detail.strip().rpartition("\n")[2], 300)
        return f"{self.trouble.message} {'' if said.isdecimal() else said}".strip()  # an exit status says nothing

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The findings that want to be mended."""
        return tuple(finding for finding in self.findings if finding.kind not in _REMARKS)

    def newer(self, started_at: datetime | None) -> tuple[ConfigFile, ...]:
        """Return the files that have changed since the server started."""
        return tuple(file for file in self.found.files if _is_newer(file, started_at))

    def items(self, started_at: datetime | None = None) -> tuple[Item, ...]:
        """Return every value by key, the winner first, those that lose behind it."""
        newer = {file.path for file in self.newer(started_at)}
        return tuple(item for setting in self.settings for item in self._items(setting, newer))

    def _items(self, setting: Setting, newer: set[str]) -> Iterator[Item]:
        winner = setting.winner
        if winner:
            state = State.PENDING if winner.path in newer else State.APPLIED
            yield Item(setting.key, state, winner, self.applied(setting))
        for entry in setting.losers:
            if "jupyter_server_config.d/" not in entry.path and not (winner and _is_one(entry, winner)):
                yield Item(setting.key, State.LOSES, entry, entry.value, winner)

    def applied(self, setting: Setting) -> object:
        """Return the value that Jupyter applies, as far as it is known; secrets as Secret."""
        if self.answer and not (setting.winner and setting.winner.certain):
            with suppress(KeyError):
                return self.answer.value(setting.key)
        return setting.value


def whose(server: Server) -> Whose:
    """Return the server meant, for `discover`."""
    return Whose(server.app if server.app in {App.LAB, App.NOTEBOOK} else App.SERVER, server.pid)


async def overview(host: Host, server: Server) -> Overview:
    """Look, and ask Jupyter: 1-2 s. Raises CommandError and DeadlineError where not even files are seen, HostTrouble.

    Where Jupyter itself fails to answer, files and rules alone tell; `trouble` says so.
    """
    found, answer = await asyncio.gather(
        look(host, whose(server)), ask(host, whose(server), traits=True), return_exceptions=True
    )
    if isinstance(found, BaseException):
        raise found
    if isinstance(answer, CommandError | DeadlineError):
        return overview_of(found, None, answer)
    if isinstance(answer, BaseException):
        raise answer
    return overview_of(found, answer)


def overview_of(found: Found, answer: Answer | None, trouble: JupytuiError | None = None) -> Overview:
    """Return what follows from `found`, by what Jupyter says where it says something."""
    found = answer.corrected(found) if answer else found
    knowledge = answer.knowledge if answer else TODAY
    settings = knowledge.resolve(found)
    traits = answer.traits if answer else {}
    told = findings(found, settings, knowledge.applications, knowledge.ancestry, traits)
    return Overview(found, settings, tuple(_loud(found, finding) for finding in told), answer, trouble)


def _loud(found: Found, finding: Finding) -> Finding:
    """Say what may follow when a file counts for nothing in which a password or token stands."""
    file = found.file(finding.where.rpartition(":")[0])
    if finding.kind is not Kind.BROKEN or found.fails_closed or not file or not _KEPT_OUT.search(file.data or b""):
        return finding
    words = f"{finding.words} A password or token stands in it, which does not count: the server may be open to all."
    return replace(finding, words=words)


def _is_newer(file: ConfigFile, started_at: datetime | None) -> bool:
    if file.mtime is None or started_at is None:
        return False
    return (datetime.fromtimestamp(file.mtime, UTC) - started_at).total_seconds() > SLACK


def _is_one(entry: Entry, winner: Entry) -> bool:
    """Whether two values are one option: `--no-browser` speaks to several classes."""
    return entry.origin is winner.origin is Origin.OPTION and plain(entry.value) == plain(winner.value)


def is_secret(trait: str) -> bool:
    """Whether what a trait of this name holds must not be seen."""
    return trait in SECRET_TRAITS or bool(_SECRET.search(trait))


def text_of(trait: str, value: object) -> str:
    """Return a value on one line, cleaned; secrets masked, also those in mappings."""
    value = _hushed(trait, value)
    return clean_line(value if isinstance(value, str) and value else repr(value))


def _hushed(name: str, value: object) -> object:
    if is_secret(name) and (isinstance(value, Secret | str | bytes)):
        return MASK if plain(value) else ""
    if isinstance(value, dict):
        return {key: _hushed(str(key), each) for key, each in value.items()}
    return [_hushed("", each) for each in value] if isinstance(value, list) else plain(value)

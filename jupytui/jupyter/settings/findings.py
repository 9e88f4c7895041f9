"""What is wrong or misleading in a configuration, each with its file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from jupytui.jupyter.settings.models import Application, ConfigFile, Entry, Found, Origin, Setting, plain
from jupytui.jupyter.settings.programs import DEPRECATED
from jupytui.jupyter.settings.resolve import home_of

Traits = Mapping[str, Mapping[str, Any]]


class Kind(StrEnum):
    """What sort of finding it is; the worst first."""

    BROKEN = "broken"  # the file does not parse: Jupyter starts without it, open if the password was in it
    READABLE = "readable"  # a secret that others can read
    UNREAD = "unread"
    UNKNOWN = "unknown"  # a class or trait that Jupyter does not have
    IGNORED = "ignored"  # written where Jupyter does not look for it
    LOSES = "loses"
    DEPRECATED = "deprecated"
    UNCLEAR = "unclear"  # a statement that may set anything


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them: `words` is a sentence, `where` "file:line"; `suggestion` a key that was perhaps meant."""

    kind: Kind
    words: str
    where: str
    key: str = ""
    suggestion: str = ""


def findings(
    found: Found,
    settings: Iterable[Setting],
    applications: Iterable[Application],
    ancestry: Iterable[tuple[str, ...]],
    traits: Traits,
) -> tuple[Finding, ...]:
    """Return all of them, the worst kind first. `traits` (see `discover.Answer`) empty: no typos are found."""
    rules = (tuple(applications), tuple(ancestry))
    all_of_them = [
        *(finding for file in found.files for finding in _of_file(file, fails_closed=found.fails_closed)),
        *(finding for file in found.files for finding in _of_entries(file, rules, traits)),
        *(finding for setting in settings for finding in _losing(setting)),
    ]
    order = list(Kind)
    return tuple(sorted(all_of_them, key=lambda finding: order.index(finding.kind)))


def _of_file(file: ConfigFile, *, fails_closed: bool) -> Iterator[Finding]:
    reading = file.reading
    if reading.broken:
        then = "Jupyter does not start" if fails_closed else "Jupyter starts as if it were not there"
        where = f"{file.path}:{reading.broken.line}"
        yield Finding(Kind.BROKEN, f"This file {reading.broken.words}; {then}.", where)
    if file.unread:
        yield Finding(Kind.UNREAD, f"This file cannot be read: {file.unread}.", file.path)
    secret = next((entry for entry in reading.entries if _secret(entry)), None)
    if secret and file.mode is not None and file.mode & 0o077:
        words = f"Others on this machine can read {secret.key} (mode {file.mode:04o})."
        yield Finding(Kind.READABLE, words, secret.where, secret.key)
    for note in reading.unclear:
        yield Finding(Kind.UNCLEAR, f"This line {note.words}.", f"{file.path}:{note.line}")


def _secret(entry: Entry) -> bool:
    return plain(entry.value) is not entry.value and bool(plain(entry.value))


def _of_entries(
    file: ConfigFile, rules: tuple[tuple[Application, ...], tuple[tuple[str, ...], ...]], traits: Traits
) -> Iterator[Finding]:
    for entry in file.reading.entries:
        if file.drop_in:
            if entry.trait != "jpserver_extensions":
                words = f"{entry.key} counts for nothing here: of these files Jupyter reads jpserver_extensions alone."
                yield Finding(Kind.IGNORED, words, entry.where, entry.key)
            continue
        home = home_of(entry.section, entry.trait, *rules)
        if entry.key in DEPRECATED:
            words = f"{entry.key} is deprecated; it is called {'.'.join(DEPRECATED[entry.key])} today."
            yield Finding(Kind.DEPRECATED, words, entry.where, entry.key, ".".join(DEPRECATED[entry.key]))
        elif entry.section == "NotebookApp" and home.startswith("ServerApp."):
            yield Finding(Kind.DEPRECATED, f"{entry.key} is called {home} today.", entry.where, entry.key, home)
        yield from _unknown(entry, home, rules[1], traits)


def _unknown(entry: Entry, home: str, ancestry: tuple[tuple[str, ...], ...], traits: Traits) -> Iterator[Finding]:
    """Typos, as traitlets would name them: a trait its class has not, a class that is nearly one that exists."""
    section, _, trait = home.rpartition(".")
    if not traits or "." in section:
        return
    if entry.section not in traits and section not in traits:
        if close := get_close_matches(entry.section, traits, 1, 0.8):
            words = f"Jupyter has no class {entry.section}. Did you mean {close[0]}?"
            yield Finding(Kind.UNKNOWN, words, entry.where, entry.key, f"{close[0]}.{entry.trait}")
        return
    line = next((line for line in ancestry if section in line), (section,))
    known = {name for each in (*line, entry.section) for name in traits.get(each, {})}
    if trait not in known and entry.trait not in known:
        close = get_close_matches(entry.trait, known, 1)
        better = f" Did you mean {close[0]}?" if close else ""
        words = f"{entry.section} has no {entry.trait}.{better}"
        suggestion = f"{entry.section}.{close[0]}" if close else ""
        yield Finding(Kind.UNKNOWN, words, entry.where, entry.key, suggestion)


def _losing(setting: Setting) -> Iterator[Finding]:
    winner = setting.winner
    if winner is None:
        return
    to = winner.path and winner.where if winner.origin is not Origin.APPLICATION else winner.section
    for loser in setting.losers:
        if "jupyter_server_config.d/" not in loser.path and plain(loser.value) != plain(winner.value):
            words = f"{loser.key} loses to {winner.key} of {to or 'the command line'}."
            yield Finding(Kind.LOSES, words, loser.where, loser.key)

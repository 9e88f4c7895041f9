"""The settings' rows, and what stands below them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from jupytui import figures
from jupytui.fleet.models import HostView
from jupytui.fleet.settings import Sight
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server
from jupytui.jupyter.settings.findings import Finding, Kind
from jupytui.jupyter.settings.models import Entry, Origin
from jupytui.jupyter.settings.overview import Item, Overview, State, text_of
from jupytui.text import clean_line
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UP, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.table import Column, Table

_HOME = re.compile(r"^(/(home|Users)/[^/]+|/root)(?=/)")
_STATES = {
    State.APPLIED: Span(f"{UP} applied", "good"),
    State.PENDING: Span(f"{STARTING} pending", "warn"),
    State.LOSES: Span(f"{DOWN} loses", "dim"),
}
_SAME = Span(f"{DOWN} the same", "dim")
_KINDS = {
    Kind.BROKEN: Span(f"{FAILED} broken", "bad"),
    Kind.READABLE: Span(f"{WARNING} exposed", "bad"),
    Kind.UNREAD: Span(f"{FAILED} unread", "bad"),
    Kind.UNKNOWN: Span(f"{WARNING} unknown", "warn"),
    Kind.IGNORED: Span(f"{WARNING} ignored", "warn"),
    Kind.DEPRECATED: Span(f"{WARNING} old name", "warn"),
    Kind.UNCLEAR: Span(f"{WARNING} unclear", "warn"),
}


class SettingRow(Struct, frozen=True):
    """A value of a server, a finding, or a server to choose. `key` tells it from the others, `setting` is its key.

    `words` are said of it below the list; `text` is what a filter sees.
    """

    key: Hashable
    subject: Subject
    state: Span
    name: str
    value: str = ""
    where: str = ""
    words: str = ""
    setting: str = ""
    trouble: bool = False
    text: str = ""


def rows(subject: Subject, overview: Overview, started_at: datetime | None) -> list[SettingRow]:
    """Return what is wrong, the worst first, then every value by key, those that lose behind the one that wins."""
    told = [finding for finding in overview.findings if finding.kind in _KINDS]
    values = overview.items(started_at)
    return _searchable([*(_finding(subject, each) for each in told), *(_item(subject, each) for each in values)])


def servers(views: Iterable[HostView], known: Iterable[tuple[Subject, Sight]]) -> list[SettingRow]:
    """Return the servers to choose from, with what is known of their settings already."""
    sights = dict(known)
    return _searchable(
        _server(view, server, sights.get(Subject(view.name, server.id), Sight()))
        for view in views
        for server in view.servers
    )


def _server(view: HostView, server: Server, sight: Sight) -> SettingRow:
    subject = Subject(view.name, server.id)
    overview = sight.overview
    wrong = len(overview.wrong) if overview else 0
    state = Span(f"{WARNING} {wrong} wrong", "warn") if wrong else Span(f"{UP} {server.health}", "")
    known = figures.plural(len(overview.settings), "setting") if overview else ""
    return SettingRow(subject, subject, state, server.id, known, host_name(view), "enter shows its settings")


def _finding(subject: Subject, finding: Finding) -> SettingRow:
    where = short(finding.where)
    return SettingRow(
        key=(finding.kind, finding.where, finding.key),
        subject=subject,
        state=_KINDS[finding.kind],
        name=finding.key or where.rpartition("/")[2],
        value="" if finding.key else clean_line(finding.words),
        where=where if finding.key else "",
        words=f"{clean_line(finding.words)} {where}",
        setting=finding.key,
        trouble=finding.kind is not Kind.UNCLEAR,
    )


def _item(subject: Subject, item: Item) -> SettingRow:
    entry, winner = item.entry, item.winner
    same = item.state is State.LOSES and winner is not None and text_of("", winner.value) == text_of("", entry.value)
    return SettingRow(
        key=(item.key, item.state is State.LOSES, entry.where, entry.key),
        subject=subject,
        state=_SAME if same else _STATES[item.state],
        name=f"  {clean_line(entry.key)}" if item.state is State.LOSES else clean_line(item.key),
        value=item.text,
        where=place(entry),
        words=_words(item),
        setting=item.key,
    )


def _words(item: Item) -> str:
    said = f"{item.entry.key} at {place(item.entry)}"
    if item.state is State.PENDING:
        return f"{said}: its file is newer than the server, which reads it at its next start."
    if item.state is State.APPLIED:
        return said if item.entry.certain else f"{said}: {item.entry.why}"
    if item.winner is None:
        return f"{said} counts for nothing: Jupyter's default applies."
    return f"{said} loses to {item.winner.key} at {place(item.winner)}."


def place(entry: Entry) -> str:
    """Return where an entry stands: file and line, the command line, or the program that overrules it."""
    if entry.origin is Origin.APPLICATION:
        return f"built into {clean_line(entry.section)}"
    return short(entry.where)


def short(where: str) -> str:
    """Return a path with `~` for the home directory it is in."""
    return _HOME.sub("~", clean_line(where, 4096))


def _searchable(found: Iterable[SettingRow]) -> list[SettingRow]:
    return [_with_text(row) for row in found]


def _with_text(row: SettingRow) -> SettingRow:
    words = (row.state.text, row.name, row.value, row.where, row.words)
    return replace(row, text=" ".join(words).casefold())


def _state(row: SettingRow, _look: Look) -> Line:
    return (row.state,)


def _name(row: SettingRow, _look: Look) -> Line:
    return plain(row.name)


def _trait(row: SettingRow, _look: Look) -> Line:
    if not row.setting:
        return plain(row.name)
    indent = "  " if row.name.startswith("  ") else ""
    return plain(indent + row.name.strip().rpartition(".")[2])


def _value(row: SettingRow, _look: Look) -> Line:
    return (Span(row.value, "dim" if row.state.style == "dim" else ""),) if row.value else ()


def _where(row: SettingRow, _look: Look) -> Line:
    return (Span(row.where, "dim"),) if row.where else ()


WIDE = Table(
    (
        Column("STATE", 10, _state),
        Column("SETTING", 30, _name, grow=3, most=40),
        Column("VALUE", 14, _value, rank=1, grow=1, most=60),
        Column("WHERE", 40, _where, rank=2, grow=1),
    )
)
NARROW = Table(
    (
        Column("STATE", 10, _state, gap=1),
        Column("SETTING", 14, _trait, grow=1, most=26, gap=1),
        Column("VALUE", 8, _value, rank=1, grow=2, gap=1),
    )
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def summary(overview: Overview, started_at: datetime | None) -> str:
    """Return the sums: `12 settings · 3 files · 1 finding`, and whether something waits for a restart."""
    wrong = len(overview.wrong)
    said = [figures.plural(len(overview.settings), "setting"), figures.plural(len(overview.found.files), "file")]
    said += [f"{wrong} wrong"] if wrong else []
    said += ["files newer than the server: R restarts"] if overview.newer(started_at) else []
    return " · ".join(said)


def broken(overview: Overview) -> str:
    """Return what must not be overlooked: files that do not parse, and what follows from that."""
    found = [finding for finding in overview.findings if finding.kind is Kind.BROKEN]
    return " ".join(f"{short(finding.where)}: {clean_line(finding.words)}" for finding in found)


def empty(views: Sequence[HostView], scope: Subject, sight: Sight) -> str:
    """Return what to say where there is no row."""
    if not any(view.servers for view in views):
        away = [host_name(view) for view in views if view.state is not HostState.UP]
        if away and len(away) == len(views):
            return f"{', '.join(away[:3])} not connected: what Jupyter is configured with there is not known."
        if not scope.server:
            return "No Jupyter server runs here, so nothing is configured. n starts one · 1 shows the fleet."
    if is_gone(views, scope):
        return f"{scope.server} does not run (any more). u takes back our last change of its files · 1 shows the fleet."
    if sight.error:
        return str(sight.error)
    if sight.overview is None:
        return f"Looking at the files of {scope.server} …"
    return f"Nothing is configured for {scope.server}: Jupyter's defaults apply. a sets something · P offers presets."


def is_gone(views: Iterable[HostView], scope: Subject) -> bool:
    """Whether this server does not run on its host, which is seen: what was known of it does not apply any more."""
    host = next((view for view in views if view.name == scope.host), None)
    if not scope.server or host is None or host.state is not HostState.UP:
        return False
    return not any(each.id == scope.server and each.health is not Health.STALE for each in host.servers)


def trouble(overview: Overview) -> str:
    """Return why Jupyter itself was not heard."""
    return f"By files and rules alone: {overview.unheard}" if overview.unheard else ""

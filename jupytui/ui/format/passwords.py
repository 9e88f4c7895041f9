"""The rows of the Passwords pane, and what stands below them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jupytui import figures
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Auth, Server
from jupytui.jupyter.passwords.standing import Standing
from jupytui.jupyter.settings.door import Hash
from jupytui.ui.format.glyphs import FAILED, STARTING, UNKNOWN, UP, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Column, Table

_WAYS = {
    Auth.TOKEN: Span(f"{UP} token", "good"),
    Auth.PASSWORD: Span(f"{UP} password", "good"),
    Auth.BOTH: Span(f"{UP} both", "good"),
    Auth.NONE: Span(f"{FAILED} anybody", "bad"),
    Auth.UNKNOWN: Span(f"{UNKNOWN} unknown", "dim"),
}
_HASHES = {
    Hash.NONE: Span(figures.UNKNOWN),
    Hash.ARGON2: Span("argon2"),
    Hash.WEAK: Span("sha1, old", "warn"),
    Hash.UNUSABLE: Span("no hash", "bad"),
    Hash.UNKNOWN: Span("computed", "dim"),
}


class PasswordRow(Struct, frozen=True):
    """A server; `standing` is None until its files were looked at, and `error` why they cannot be.

    `stale` when its host is not being seen now; `text` is what a filter sees; `ahead` by how many seconds the host's
    clock is ahead of ours.
    """

    key: Subject
    server: Server
    standing: Standing | None = None
    error: JupytuiError | None = None
    stale: bool = False
    text: str = ""
    ahead: float = 0.0


def row_of(
    host: str,
    server: Server,
    standing: Standing | None,
    error: JupytuiError | None = None,
    *,
    stale: bool = False,
    ahead: float = 0.0,
) -> PasswordRow:
    """Return the row of a server of `host`."""
    row = PasswordRow(Subject(host, server.id), server, standing, error, stale)
    words = (server.id, way(row).text, _key(row), place(row), state(row).text)
    return PasswordRow(row.key, server, standing, error, stale, " ".join(words).casefold(), ahead)


def way(row: PasswordRow) -> Span:
    """Return how it lets people in now."""
    return _WAYS[row.server.auth]


def state(row: PasswordRow) -> Span:
    """Return what there is to be said of it, in a word: the worst first."""
    standing = row.standing
    if row.server.auth is Auth.NONE or (standing and standing.auth is Auth.NONE):
        return Span(f"{FAILED} open", "bad")
    if row.error:
        return Span(f"{UNKNOWN} unread", "dim")
    return _said(standing) if standing else Span(f"{UNKNOWN} looking", "dim")


def _said(standing: Standing) -> Span:
    found = (
        (standing.hash in {Hash.WEAK, Hash.UNUSABLE}, f"{WARNING} weak"),
        (standing.pending or standing.logs_out, f"{STARTING} restart"),
        (standing.deprecated, f"{WARNING} old key"),
        (bool(standing.warnings), f"{WARNING} see below"),
    )
    return next((Span(words, "warn") for holds, words in found if holds), Span(f"{UP} fine", "good"))


def place(row: PasswordRow) -> str:
    """Return the file and line that decide; the home directory is `~`."""
    entry = row.standing.decisive if row.standing else None
    return _short(entry.where) if entry else ""


def _short(path: str) -> str:
    for home in ("/home/", "/Users/"):
        if path.startswith(home):
            return "~/" + path.removeprefix(home).partition("/")[2]
    return path


def _file(row: PasswordRow, _look: Look) -> Line:
    where = place(row)
    return plain(where.rpartition("/")[2] or (figures.UNKNOWN if row.standing else ""))


def _key(row: PasswordRow) -> str:
    entry = row.standing.decisive if row.standing else None
    return entry.key if entry else ""


def _changed(row: PasswordRow, look: Look) -> Line:
    since = row.standing.changed_at if row.standing else None
    return plain(figures.age(figures.seconds_since(since, look.now, row.ahead)))


def _tone(row: PasswordRow, _look: Look) -> str:
    return "dim" if row.stale else ""


_SERVER = Column("SERVER", 14, lambda row, _look: plain(row.server.id), grow=2, most=40)
_STATE = Column("STATE", 11, lambda row, _look: (state(row),), firm=True)
WIDE = Table(
    (
        _SERVER,
        _STATE,
        Column("LETS IN BY", 10, lambda row, _look: (way(row),), rank=1),
        Column("HASH", 9, lambda row, _look: (_HASHES[row.standing.hash],) if row.standing else (), rank=4),
        Column("CHANGED", 7, _changed, rank=5, right=True),
        Column("KEY", 18, lambda row, _look: plain(_key(row)), rank=3, grow=2, most=42),
        Column("FILE", 16, _file, rank=2, grow=3),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        _SERVER,
        Column("STATE", 11, lambda row, _look: (state(row),), firm=True, gap=1),
        Column("LETS IN BY", 10, lambda row, _look: (way(row),), rank=1, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(row: PasswordRow) -> str:
    """Return what matters of one server: why it cannot be told, else what wins and what is wrong with it."""
    if row.error:
        return f"{row.error.message} {row.error.hint}".rstrip()
    standing = row.standing
    if standing is None:
        return "Looking at its files …"
    return " ".join([*_pending(row, standing), decides(standing), *standing.warnings])


def _pending(row: PasswordRow, standing: Standing) -> list[str]:
    said = []
    if standing.pending:
        then = f": it lets in by {standing.auth} then" if standing.auth is not row.server.auth else ""
        said.append(f"Its files are newer than the running server and count after a restart{then}.")
    if standing.logs_out:
        said.append("Who is logged in stays so until a restart, which logs everybody out.")
    return said


def decides(standing: Standing) -> str:
    """Return which entry decides, in a sentence."""
    if standing.password:
        return f"{standing.password.key} at {_short(standing.password.where)} decides."
    if standing.token:
        return f"{standing.token.key} at {_short(standing.token.where)} decides."
    if standing.auth is Auth.TOKEN:
        return "No file sets a password or a token: Jupyter makes a token at every start. p sets a password."
    return "Nothing is asked for. p sets a password."


def details(row: PasswordRow, look: Look) -> list[str]:
    """Return all that is known, as paragraphs."""
    standing = row.standing
    if standing is None:
        return [about(row)]
    since = figures.seconds_since(standing.changed_at, look.now, row.ahead)
    facts = [
        f"Lets in by: {row.server.auth} now, {standing.auth} after the next start",
        f"Hash: {standing.hash}",
        *([f"Password: {standing.password.key} at {standing.password.where}"] if standing.password else []),
        *([f"Token: {standing.token.key} at {standing.token.where}"] if standing.token else []),
        f"Files changed {figures.duration(since)} ago" if since is not None else "No file of its own",
    ]
    return ["\n".join(facts), *_pending(row, standing), *standing.warnings]


def summary(rows: Sequence[PasswordRow]) -> str:
    """Return the sums of the rows: `4 servers · 1 open · 2 wait for a restart`."""
    states = [state(row).text.partition(" ")[2] for row in rows]
    counts = {"open": "open", "weak": "weak", "restart": "wait for a restart"}
    said = [f"{states.count(word)} {words}" for word, words in counts.items() if word in states]
    return " · ".join([figures.plural(len(rows), "server"), *said])


def nothing(*, away: str = "") -> str:
    """Return what to say where there is no server."""
    if away:
        return f"{away}: not connected, so how servers there let people in is not known."
    return "No Jupyter server runs here, so there is no password to see. n starts one · 1 shows the fleet."

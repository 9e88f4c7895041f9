"""The certificates' rows, and what stands below them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jupytui import figures
from jupytui.actions.cert_sights import CertView, secured
from jupytui.certs.models import Certificate, Trust, Urgency
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Server
from jupytui.text import clean_line
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UP, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.servers import server_name
from jupytui.ui.format.table import Column, Table

_TRUST = {
    Trust.PUBLIC: "every browser",
    Trust.OURS: "your authority",
    Trust.PRIVATE: "its issuer only",
    Trust.ITSELF: "nobody",
}

_BELIEF = {
    Trust.PUBLIC: "Every browser trusts it.",
    Trust.OURS: "Machines that trust your authority trust it (K says how).",
    Trust.PRIVATE: "Only machines that trust its issuer trust it.",
    Trust.ITSELF: "Nobody trusts it: it is signed by itself.",
}


class CertRow(Struct, frozen=True):
    """A server; `view` is None while nobody has looked at its certificate; `host` is what people call its host."""

    key: Subject
    host: str
    server: Server
    view: CertView | None = None
    stale: bool = False
    text: str = ""


def row_of(host: str, name: str, server: Server, view: CertView | None, *, stale: bool) -> CertRow:
    """Return the row of a server of `host`, which people call `name`."""
    shown = view.certificate if view else None
    words = [server_name(server), name, server.id, "tls on" if secured(server) else "tls off"]
    words += [shown.issuer, *shown.names] if shown else []
    return CertRow(Subject(host, server.id), name, server, view, stale, clean_line(" ".join(words), 4096).casefold())


def state(row: CertRow, look: Look) -> Span:
    """Return whether it speaks TLS, and whether something must be done about it, as a glyph and a word."""
    if not secured(row.server):
        return Span(f"{DOWN} off")
    if row.view is None:
        return Span(f"{STARTING} looking", "dim")
    if row.view.served is None:
        return Span(f"{FAILED} no handshake", "bad")
    return _standing(row.view.served, row.view.matches, look)


def _standing(served: Certificate, matches: bool | None, look: Look) -> Span:
    urgency = served.urgency(look.now)
    if urgency >= Urgency.EXPIRED:
        return Span(f"{FAILED} {'expired' if urgency is Urgency.EXPIRED else 'not yet valid'}", "bad")
    if matches is False:
        return Span(f"{WARNING} not the file", "warn")
    if urgency is not Urgency.FINE:
        return Span(
            f"{WARNING} {figures.left(served.days_left(look.now))}", "bad" if urgency is Urgency.DAY else "warn"
        )
    return Span(f"{UP} on", "good")


def _server(row: CertRow, _look: Look) -> Line:
    return plain(server_name(row.server))


def _host(row: CertRow, _look: Look) -> Line:
    return plain(row.host)


def _state(row: CertRow, look: Look) -> Line:
    return (state(row, look),)


def _left(row: CertRow, look: Look) -> Line:
    shown = row.view.certificate if row.view else None
    return plain(figures.left(shown.days_left(look.now)) if shown else figures.UNKNOWN)


def _names(row: CertRow, _look: Look) -> Line:
    shown = row.view.certificate if row.view else None
    return plain(clean_line(" ".join(shown.names)) if shown else figures.UNKNOWN)


def _issuer(row: CertRow, _look: Look) -> Line:
    shown = row.view.certificate if row.view else None
    return plain((shown.issuer or "(no name)") if shown else figures.UNKNOWN)


def _key(row: CertRow, _look: Look) -> Line:
    shown = row.view.certificate if row.view else None
    return plain(shown.key_type if shown else figures.UNKNOWN)


def _file(row: CertRow, _look: Look) -> Line:
    matches = row.view.matches if row.view else None
    return plain({True: "matches", False: "differs", None: figures.UNKNOWN}[matches])


def _trust(row: CertRow, _look: Look) -> Line:
    trust = row.view.trust if row.view else None
    return plain(_TRUST[trust] if trust else figures.UNKNOWN)


def _tone(row: CertRow, _look: Look) -> str:
    return "dim" if row.stale else ""


WIDE = Table(
    (
        Column("SERVER", 12, _server, most=20, grow=1),
        Column("HOST", 10, _host, rank=1, grow=1, most=20),
        Column("TLS", 14, _state),
        Column("LEFT", 8, _left, rank=2, right=True),
        Column("FILE", 7, _file, rank=4),
        Column("TRUSTED BY", 15, _trust, rank=3),
        Column("KEY", 11, _key, rank=6),
        Column("ISSUER", 10, _issuer, rank=5, grow=2, most=40),
        Column("NAMES", 10, _names, rank=7, grow=4),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        Column("SERVER", 14, _server, grow=1, most=30),
        Column("HOST", 6, _host, rank=1, grow=1, most=12, gap=1),
        Column("TLS", 10, _state, firm=True, gap=1),
        Column("LEFT", 8, _left, rank=2, right=True, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(row: CertRow, look: Look) -> list[str]:
    """Return what matters of one server's certificate, in sentences."""
    if not secured(row.server):
        return [
            "c issues a certificate and turns TLS on, A gets one by ACME, I imports one. Until then everything goes as"
            " it is, passwords too."
        ]
    if row.view is None:
        return [f"Looking at {row.server.id} …"]
    view, shown = row.view, row.view.certificate
    said = [view.trouble] if view.trouble else []
    if view.matches is False:
        said.append("It shows another certificate than its file holds: R restarts it.")
    if shown:
        said.append(
            f"For {', '.join(shown.names) or 'no name'}; {figures.left(shown.days_left(look.now))} left, until"
            f" {shown.not_after:%Y-%m-%d}; by {shown.issuer or 'an issuer without a name'}; {shown.key_type}."
        )
        said += _advice(view, shown.urgency(look.now))
    return [clean_line(" ".join(said), 2000)]


def _advice(view: CertView, urgency: Urgency) -> list[str]:
    said = []
    if view.trust:
        said.append(_BELIEF[view.trust])
    if urgency is not Urgency.FINE and view.trust is not Trust.ITSELF:
        said.append("w renews it.")
    elif view.trust is Trust.ITSELF:
        said.append("c issues one of your own authority.")
    return said


def details(row: CertRow, look: Look) -> list[str]:
    """Return all that is known of one server's certificate, as paragraphs."""
    paragraphs = about(row, look)
    view = row.view
    if view and view.path:
        key = f"\nKey: {view.keyfile}" if view.keyfile else ", with its key"
        paragraphs.append(f"File: {view.path}{key}")
    for title, one in (("Served", view.served if view else None), *_chain(view)):
        if one:
            paragraphs.append(
                f"{title}: {one.subject or ', '.join(one.names)}\nissued by {one.issuer}, {one.key_type}\n"
                f"from {one.not_before:%Y-%m-%d %H:%M} to {one.not_after:%Y-%m-%d %H:%M} UTC\nSHA-256 {one.fingerprint}"
            )
    return paragraphs


def _chain(view: CertView | None) -> list[tuple[str, Certificate]]:
    return [("In the file", one) for one in view.file] if view else []


def verbs(row: CertRow) -> list[tuple[str, str]]:
    """Return the actions (id, word) that make sense as things stand, the likeliest first."""
    if not secured(row.server):
        return [("cert.issue", "issue, TLS on"), ("cert.acme", "ACME"), ("cert.import", "import")]
    renew = [("cert.renew", "renew")] if row.view and row.view.trust is not Trust.ITSELF else []
    return [*renew, ("cert.issue", "issue"), ("cert.acme", "ACME"), ("cert.import", "import"), ("cert.off", "TLS off")]


def summary(rows: Sequence[CertRow], look: Look) -> str:
    """Return the sums of the rows: `4 servers · 2 with TLS · 1 due`."""
    on = sum(secured(row.server) for row in rows)
    due = sum(
        shown.urgency(look.now) is not Urgency.FINE for row in rows if row.view and (shown := row.view.certificate)
    )
    parts = [figures.plural(len(rows), "server"), f"{on} with TLS", f"{due} due: W renews" if due else ""]
    return " · ".join(filter(None, parts))

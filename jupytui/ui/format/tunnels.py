"""The tunnels' rows, and what stands below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from msgspec import Struct

from jupytui import figures
from jupytui.actions.tunnel_words import route
from jupytui.fleet.subject import Subject
from jupytui.tunnels.models import LOOPBACK, Address, Status, TunnelKind, TunnelState
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UP, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Column, Table

_STATES = {
    TunnelState.UP: Span(f"{UP} up", "good"),
    TunnelState.CONNECTING: Span(f"{STARTING} connecting", "warn"),
    TunnelState.WAITING: Span(f"{STARTING} waiting", "warn"),
    TunnelState.ASKING: Span(f"{WARNING} waiting for you", "warn"),
    TunnelState.FAILED: Span(f"{FAILED} failed", "bad"),
    TunnelState.WRONG_SERVER: Span(f"{WARNING} wrong server", "warn"),
    TunnelState.NO_SERVER: Span(f"{WARNING} no server", "warn"),
    TunnelState.DOWN: Span(f"{DOWN} down"),
}
_HERE = frozenset((LOOPBACK, "localhost", "::1", ""))


class TunnelRow(Struct, frozen=True):
    """A tunnel; `host` is what people call its host, `text` what a filter sees."""

    key: Subject
    host: str
    status: Status
    text: str = ""


def row_of(status: Status, host: str) -> TunnelRow:
    """Return the row of a tunnel to the host that people call `host`."""
    tunnel = status.tunnel
    words = (tunnel.name, host, tunnel.kind, state(status).text, route(status))
    return TunnelRow(Subject(tunnel.host, tunnel=tunnel.name), host, status, " ".join(words).casefold())


def state(status: Status) -> Span:
    """Return its state as a glyph and a word."""
    return _STATES[status.state]


def uncounted(status: Status) -> Status:
    """Return it without its counters: what differs now is worth telling at once."""
    return replace(status, open_connections=0, connections=0, bytes_out=0, bytes_in=0)


def end(address: Address | None) -> str:
    """Return one end of a tunnel, shortly: `:8888` on the machine itself."""
    if address is None:
        return figures.UNKNOWN
    if address.path or address.host not in _HERE:
        return str(address)
    return f":{address.port}" if address.port else figures.UNKNOWN


def start(status: Status) -> str:
    """Return where connections come in."""
    if status.tunnel.kind is TunnelKind.PUBLIC:
        return status.url or status.tunnel.domain or figures.UNKNOWN
    return end(status.local or status.tunnel.local)


def _name(row: TunnelRow, _look: Look) -> Line:
    return plain(row.status.tunnel.name)


def _host(row: TunnelRow, _look: Look) -> Line:
    return plain(row.host)


def _kind(row: TunnelRow, _look: Look) -> Line:
    return plain(row.status.tunnel.kind)


def _from(row: TunnelRow, _look: Look) -> Line:
    return plain(start(row.status))


def _to(row: TunnelRow, _look: Look) -> Line:
    return plain("anywhere" if row.status.tunnel.kind is TunnelKind.SOCKS else end(row.status.tunnel.to))


def _state(row: TunnelRow, _look: Look) -> Line:
    return (state(row.status),)


def _since(row: TunnelRow, look: Look) -> Line:
    return plain(figures.age(seconds(row.status, look)))


def seconds(status: Status, look: Look) -> float | None:
    """Return for how long it has stood so, None when nobody knows."""
    return max(0.0, look.now.timestamp() - status.since) if status.since else None


def _reconnects(row: TunnelRow, _look: Look) -> Line:
    return plain(figures.count(row.status.reconnects))


def _open(row: TunnelRow, _look: Look) -> Line:
    return plain(figures.count(row.status.open_connections))


def _sent(row: TunnelRow, _look: Look) -> Line:
    return plain(figures.size(row.status.bytes_out))


def _got(row: TunnelRow, _look: Look) -> Line:
    return plain(figures.size(row.status.bytes_in))


def _tone(row: TunnelRow, _look: Look) -> str:
    return "dim" if row.status.state is TunnelState.DOWN else ""


WIDE = Table(
    (
        Column("TUNNEL", 12, _name, grow=3, most=30),
        Column("HOST", 8, _host, rank=2, grow=2, most=20),
        Column("KIND", 6, _kind, rank=6),
        Column("FROM", 7, _from, rank=1, grow=1, most=30),
        Column("TO", 7, _to, rank=4, grow=2, most=30),
        Column("STATE", 17, _state),
        Column("SINCE", 5, _since, rank=5, right=True),
        Column("RECONNECTS", 10, _reconnects, rank=8, right=True),
        Column("OPEN", 4, _open, rank=7, right=True),
        Column("OUT", 5, _sent, rank=3, right=True),
        Column("IN", 5, _got, rank=3, right=True),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        Column("TUNNEL", 10, _name, grow=2, most=40),
        Column("FROM", 6, _from, rank=1, grow=1, most=12, gap=1),
        Column("STATE", 14, _state, firm=True, gap=1),
        Column("IN", 5, _got, rank=2, right=True, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(status: Status, look: Look) -> str:
    """Return what there is to know of a tunnel that is well, in a line."""
    age = figures.age(seconds(status, look))
    traffic = f"{figures.size(status.bytes_out)} out, {figures.size(status.bytes_in)} in"
    parts = [
        route(status),
        f"{status.state} {age}".removesuffix(f" {figures.UNKNOWN}"),
        figures.plural(status.reconnects, "reconnect") if status.reconnects else "",
        f"{status.open_connections} open of {figures.plural(status.connections, 'connection')}",
        traffic,
    ]
    return " · ".join(filter(None, parts))


def trouble(status: Status) -> str:
    """Return what is wrong with a tunnel, what to do and when it is tried again, "" when nothing is."""
    why = status.error
    said = [why.message, why.hint] if why else []
    if status.state is TunnelState.ASKING:
        said.append("Press enter to answer.")
    if status.next_try:
        said.append(f"Next try at {_clock(status.next_try)}; r tries now.")
    return " ".join(filter(None, said))


def _clock(moment: float) -> str:
    """Return the time of day: unlike a countdown, it is drawn once."""
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%H:%M:%S")


def verbs(status: Status) -> list[tuple[str, str]]:
    """Return the actions (id, word) that make sense as the tunnel stands, the likeliest first."""
    browse = [("tunnel.open", "open")] if status.tunnel.kind in {TunnelKind.LOCAL, TunnelKind.PUBLIC} else []
    match status.state:
        case TunnelState.DOWN:
            found = [("tunnel.up", "up")]
        case TunnelState.FAILED:
            found = [("tunnel.up", "up"), ("tunnel.down", "down")]
        case TunnelState.UP:
            found = [*browse, ("tunnel.down", "down")]
        case _:
            found = [("tunnel.retry", "retry now"), ("tunnel.down", "down")]
    return [*found, ("tunnel.add", "add"), ("tunnel.copy", "copy"), ("tunnel.remove", "remove")]


def summary(rows: Sequence[TunnelRow]) -> str:
    """Return the sums of the rows: `4 tunnels · 2 up · 3 open · 12M`."""
    up = sum(row.status.state is TunnelState.UP for row in rows)
    carried = sum(row.status.bytes_out + row.status.bytes_in for row in rows)
    connections = sum(row.status.open_connections for row in rows)
    parts = [figures.plural(len(rows), "tunnel"), f"{up} up" if up else ""]
    parts += [f"{connections} open" if connections else "", figures.size(carried) if carried else ""]
    return " · ".join(filter(None, parts))


def of_server(status: Status, look: Look) -> str:
    """Return the few words about the tunnel to a server: `tunnel ● up 2h`."""
    here = end(status.local) if status.local else ""
    age = figures.age(seconds(status, look))
    words = ["tunnel", here, state(status).text, "" if age == figures.UNKNOWN else age]
    return " ".join(filter(None, words))

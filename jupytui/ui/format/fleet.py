"""The fleet's rows: hosts, and under each its servers."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from jupytui import figures
from jupytui.fleet.models import HostView, System
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server
from jupytui.ui.format import servers, states
from jupytui.ui.format.glyphs import DOWN, FAILED, FOLDED, OPEN, STARTING, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import STALE, Look
from jupytui.ui.format.table import Column, Table


class HostRow(Struct, frozen=True):
    """A host; `folded` is None where there is nothing to fold."""

    key: Subject
    view: HostView
    folded: bool | None = None


class ServerRow(Struct, frozen=True):
    """A server under its host."""

    key: Subject
    view: HostView
    server: Server


FleetRow = HostRow | ServerRow
Cell = Callable[[FleetRow, Look], Line]


def seen(view: HostView, look: Look) -> float | None:
    """Return how old the figures are in seconds, None while they are fresh or there are none."""
    seconds = figures.seconds_since(view.seen_at, look.now)
    if seconds is None or (view.state is HostState.UP and seconds < STALE):
        return None
    return seconds


def trouble(view: HostView) -> Line:
    """Return in words why the host needs somebody, () when it does not."""
    if view.waiting:
        return (Span(f"{STARTING} {view.waiting}: press enter", "warn"),)
    state = states.of_host(view.state)
    if view.state is HostState.KEY_CHANGED:
        return (Span(f"{state.text}, not connected: press enter to see both keys", state.style),)
    if view.state is HostState.KEY_UNKNOWN:
        return (Span(f"{state.text}, not connected: press enter to see it", state.style),)
    if view.error:
        return (Span(f"{state.text}: {view.error.message}", state.style),)
    return ()


def short_trouble(view: HostView) -> Line:
    """Return the same in as few words as a narrow pane has room for."""
    if view.waiting:
        return (Span(f"{STARTING} {view.waiting}", "warn"),)
    return (states.of_host(view.state),) if view.error or view.state not in _WELL else ()


_WELL = {HostState.UP, HostState.CONNECTING}


def failing(server: Server) -> str:
    """Return in words how a server ends again and again, "" of one that does not."""
    death = server.died
    if death is None or (death.restarts or 0) < 2 or server.health not in {Health.STARTING, Health.STALE}:
        return ""
    return f"ended {death.restarts} times, {death.words.removeprefix('ended ')}"


def _name(row: FleetRow, look: Look) -> Line:
    if isinstance(row, HostRow):
        return (Span(f"{_fold(row)} {servers.host_name(row.view)}", "title"),)
    return plain(f"    {servers.server_name(row.server)}  {servers.directory(row.server, row.view, look)}".rstrip())


def _short_name(row: FleetRow, look: Look) -> Line:
    return _name(row, look) if isinstance(row, HostRow) else plain(f"    {servers.server_name(row.server)}")


def _fold(row: HostRow) -> str:
    return " " if row.folded is None else FOLDED if row.folded else OPEN


def _state(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return (_server_state(row.server),)
    if words := trouble(row.view):
        return words
    rtt = _rtt(row.view.rtt_ms) if row.view.state is HostState.UP and row.view.name != servers.LOCAL else ""
    return (states.of_host(row.view.state), *plain(rtt))


def _server_state(server: Server) -> Span:
    if words := failing(server):
        return Span(f"{FAILED} {words}", "bad")
    stopped = server.health is Health.STALE and server.unit
    return Span(f"{DOWN} stopped", "dim") if stopped else states.of_server(server.health)


def _rtt(milliseconds: float | None) -> str:
    # In steps, so that it does not flicker at each look.
    if milliseconds is None:
        return ""
    step = 1 if milliseconds < 10 else 5 if milliseconds < 100 else 50
    return f"  {max(1, round(milliseconds / step) * step)}ms"


def _short_state(row: FleetRow, look: Look) -> Line:
    if isinstance(row, HostRow):
        words = short_trouble(row.view) or (states.of_host(row.view.state),)
        old = seen(row.view, look)
        return words if old is None else (*words, Span(f" {figures.age(old)}", "dim"))
    state = _server_state(row.server)
    if row.server.health is Health.OPEN and row.server.bind == "all":
        return (Span(f"{WARNING} open to all", "warn"),)
    if row.server.health is Health.STALE or failing(row.server):
        return (state,)
    well = row.server.health is Health.OK and row.server.kernels
    said = (servers.exposure(row.server), servers.kernels(row.server) if well else state.text[2:])
    return (Span(f"{state.text[0]} {', '.join(filter(None, said))}", state.style),)


def _well(row: FleetRow) -> bool:
    return not (failing(row.server) if isinstance(row, ServerRow) else trouble(row.view))


def _figure(cell: Cell) -> Cell:
    # What is wrong is said over the columns to the right.
    return lambda row, look: cell(row, look) if _well(row) else ()


def _where(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(servers.where(row.server))
    return plain(servers.address(row.view))


def _auth(row: FleetRow, _look: Look) -> Line:
    return plain(servers.auth(row.server)) if isinstance(row, ServerRow) else ()


def _tls(row: FleetRow, look: Look) -> Line:
    return (servers.tls(row.server, look),) if isinstance(row, ServerRow) else ()


def _kernels(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(servers.kernels(row.server))
    count = sum(len(server.kernels) for server in row.view.servers)
    return plain(figures.count(count if row.view.seen_at else None))


def _cpu(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(figures.percent(servers.cpu(row.server, row.view.system)))
    return plain(figures.percent(_system(row).cpu_percent))


def _memory(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(figures.size(servers.memory(row.server)))
    return plain(servers.host_memory(row.view.system))


def _gpu(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(figures.size(servers.gpu_memory(row.server)))
    return plain(servers.host_gpu(row.view.system))


def _age(row: FleetRow, look: Look) -> Line:
    if isinstance(row, ServerRow):
        return plain(figures.age(figures.seconds_since(row.server.started_at, look.now, row.view.ahead)))
    old = seen(row.view, look)
    return () if old is None else (Span(f"{figures.age(old)} ago", "dim"),)


def _short_cpu(row: FleetRow, look: Look) -> Line:
    return _cpu(row, look) if isinstance(row, HostRow) and not short_trouble(row.view) else ()


def _short_memory(row: FleetRow, _look: Look) -> Line:
    if isinstance(row, ServerRow):
        quiet = row.server.health is not Health.OPEN and not failing(row.server)
        return plain(figures.size(servers.memory(row.server))) if quiet else ()
    return plain(figures.size(_system(row).memory_used)) if not short_trouble(row.view) else ()


def _tone(row: FleetRow, look: Look) -> str:
    old = seen(row.view, look) is not None or row.view.state is not HostState.UP
    return "dim" if old and _well(row) else ""


def _system(row: FleetRow) -> System:
    return row.view.system or System()


WIDE = Table(
    (
        Column("HOST / SERVER", 24, _name, grow=3, most=48),
        Column("STATE", 11, _state, firm=True),
        Column("WHERE", 18, _figure(_where), rank=5, grow=1, most=40),
        Column("AUTH", 8, _figure(_auth), rank=6),
        Column("TLS", 8, _figure(_tls), rank=7),
        Column("KERNELS", 7, _figure(_kernels), rank=2, right=True),
        Column("CPU", 4, _figure(_cpu), rank=1, right=True),
        Column("MEM", 8, _figure(_memory), rank=1, right=True, gap=1),
        Column("GPU", 5, _figure(_gpu), rank=3, right=True, gap=1),
        Column("AGE", 4, _figure(_age), rank=4, right=True, gap=1),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        Column("HOST / SERVER", 15, _short_name, grow=1, most=40),
        Column("STATE", 8, _short_state, firm=True, gap=1),
        Column("CPU", 4, _short_cpu, rank=2, right=True, gap=1),
        Column("MEM", 5, _short_memory, rank=1, right=True, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE

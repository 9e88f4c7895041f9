"""What is known of the one thing under the cursor: the few lines below the fleet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from jupytui import figures
from jupytui.fleet.models import HostView
from jupytui.jupyter.models import Auth, Health, Kernel, Log, Server
from jupytui.ui.format import servers, states
from jupytui.ui.format.fleet import FleetRow, HostRow, failing, seen, trouble
from jupytui.ui.format.glyphs import FAILED
from jupytui.ui.format.kernels import fate, idle_seconds, notebook
from jupytui.ui.format.line import Line, Span, cells, cut, length, pad, plain, wrap
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import flow

_INDENT = "  "
_NAME = 22  # cells for a notebook's name
_HEALTH = {
    Health.STARTING: "Its process is there; nothing answers yet.",
    Health.SILENT: "Its process is there, but it does not answer.",
    Health.OPEN: "It lets anybody in who can reach it, from other machines too.",
    Health.LOCKED: "jupytui holds no credentials for it: its kernels are seen as processes, not what they do.",
    Health.STALE: "Its process has gone.",
    Health.UNREADABLE: "It belongs to another user: only its process and its socket are seen.",
}


def lines(row: FleetRow, look: Look, width: int, tunnel: str = "") -> list[Line]:
    """Return the lines about `row`, at most `width` cells each; trouble in full, with what to do about it.

    `tunnel` is what to say of the tunnel to a server.
    """
    if isinstance(row, HostRow):
        return troubled(row.view, look, width) or _host(row.view, width)
    return _server(row.view, row.server, look, width, tunnel)


def troubled(view: HostView, look: Look, width: int) -> list[Line]:
    """Return the whole story of a host that needs somebody, [] of one that does not."""
    if not trouble(view):
        return []
    name = servers.host_name(view)
    if view.waiting:
        return _text(f"{name} {view.waiting}. Press enter to answer.", width)
    state = states.of_host(view.state).text[2:]
    words = _text(f"{view.error.message} {view.error.hint}" if view.error else f"{name}: {state}.", width)
    old = seen(view, look)
    return words + (_text(f"The figures are {figures.duration(old)} old.", width, "dim") if old is not None else [])


def _host(view: HostView, width: int) -> list[Line]:
    facts = [servers.address(view), *_system(view), *(f"#{tag}" for tag in view.tags)]
    head = _head(servers.host_name(view), facts, width)
    nothing = not view.servers and view.seen_at
    said = (
        f"No Jupyter server runs on {servers.host_name(view)}. 4 lists its units, stopped ones too; n makes a new one."
    )
    return head + (_text(said, width) if nothing else [])


def _system(view: HostView) -> list[str]:
    if (system := view.system) is None:
        return []
    facts = [system.os or ""]
    if system.cpus is not None:
        facts.append(figures.plural(system.cpus, "CPU"))
    if system.load1 is not None:
        facts.append(f"load {system.load1:.1f}")
    if system.disk_free is not None:
        facts.append(f"{figures.size(system.disk_free)} free on disk")
    return facts + [
        f"{gpu.name} {figures.size(gpu.memory_used)} of {figures.size(gpu.memory_total)}" for gpu in system.gpus
    ]


def _server(view: HostView, server: Server, look: Look, width: int, tunnel: str) -> list[Line]:
    facts = [
        server.url or server.sock or "",
        tunnel,
        servers.software(server),
        _auth(server),
        _certificate(server, look),
    ]
    facts += [servers.where(server), servers.directory(server, view, look), _log(server.log)]
    found = _head(f"{servers.host_name(view)} › {servers.server_name(server)}", facts, width)
    if words := _health(server):
        found += _text(words, width, states.of_server(server.health).style)
    found += _death(server, look, width)
    indent = len(_INDENT)
    kernels = [plain(_kernel(kernel, look, width - indent)) for kernel in server.kernels]
    return found + [(Span(_INDENT), *line) for line in flow(kernels, width - indent)] + _fates(server, width)


def _health(server: Server) -> str:
    if server.health is Health.STALE and server.unit:
        return f"{server.unit.name} is stopped: u starts it."
    return _HEALTH.get(server.health, "")


def _death(server: Server, look: Look, width: int) -> list[Line]:
    """Return why it ended last, and what shows it."""
    if not (death := server.died):
        return []
    when = figures.duration(figures.seconds_since(death.at, look.now))
    again = "" if server.health is Health.STALE else ", and runs again"
    told = f"It {words}; the last time {when} ago." if (words := failing(server)) else ""
    evidence = [(Span(cut(_INDENT + line, width), "dim"),) for line in death.evidence]
    return [*_text(told or f"It ended {when} ago{again}: {death.words}.", width, "bad"), *evidence]


def _fates(server: Server, width: int) -> list[Line]:
    died = [(notebook(kernel), kernel.died) for kernel in server.kernels if kernel.died]
    return [(Span(cut(f"{_INDENT}{FAILED} {name} {fate(death)}", width), "bad"),) for name, death in died]


def _auth(server: Server) -> str:
    return {Auth.UNKNOWN: "", Auth.NONE: "no password, no token"}.get(server.auth, f"{server.auth}")


def _certificate(server: Server, look: Look) -> str:
    if server.tls is None or server.tls.not_after is None:
        return ""
    days = (server.tls.not_after - look.now) / timedelta(days=1)
    when = f"ends in {figures.left(days)}" if days > 0 else f"ended {figures.left(-days)} ago"
    return f"{'self-signed' if server.tls.self_signed else 'served'} certificate {when}"


def _log(log: Log | None) -> str:
    return f"log: {log.where or log.kind}" if log else ""


def _kernel(kernel: Kernel, look: Look, width: int) -> str:
    seconds = idle_seconds(kernel, look.now)
    state = f"{kernel.state} {figures.age(seconds)}" if seconds is not None else f"{kernel.state}"
    name = pad(notebook(kernel), min(_NAME, max(8, width - 24)))
    gpu = f"  GPU {figures.size(kernel.gpu_memory)}" if kernel.gpu_memory else ""
    return f"{name}  {pad(state, 12)} {figures.size(kernel.rss):>5}{gpu}"


def _head(name: str, facts: Iterable[str], width: int) -> list[Line]:
    """A name with as many facts beside it as there is room for; the rest below, indented."""
    found: list[Line] = []
    line: Line = (Span(cut(name, width), "title"),)
    used = length(line)
    for fact in filter(None, facts):
        fact = cut(fact, width - len(_INDENT))
        if used + 3 + cells(fact) > width:
            found.append(line)
            line = plain(_INDENT + fact)
        else:
            line = (*line, *plain("   " + fact))
        used = length(line)
    return [*found, line]


def _text(text: str, width: int, style: str = "") -> list[Line]:
    return [(Span(part, style),) for part in wrap(text, width)]

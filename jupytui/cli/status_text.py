"""What plain `status` prints: hosts, their servers, and their kernels, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from jupytui import figures
from jupytui.cli.table import Column, render
from jupytui.fleet.models import HostView
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Kernel, KernelState, Server

COLUMNS = (
    Column("HOST / SERVER / KERNEL", elastic=True),
    Column("STATE"),
    Column("WHERE", elastic=True),
    Column("AUTH"),
    Column("KERNELS", elastic=True),
    Column("CPU", right=True),
    Column("MEM", right=True),
    Column("GPU", right=True),
    Column("AGE", right=True),
)

_GLYPHS = {
    HostState.UP: "●",
    HostState.CONNECTING: "◐",
    Health.OK: "●",
    Health.STARTING: "◐",
    Health.OPEN: "▲",
    Health.STALE: "○",
    KernelState.BUSY: "●",
    KernelState.IDLE: "○",
    KernelState.STARTING: "◐",
    KernelState.RESTARTING: "◐",
    KernelState.UNKNOWN: "?",
}

_BINDS = {"loopback": "", "all": "everyone", None: ""}


def render_status(views: Sequence[HostView], now: datetime, width: int | None = None) -> str:
    """Return the picture as text of at most `width` cells a line (None: as wide as it is)."""
    return render(COLUMNS, [row for view in views for row in _host(view, now)], width)


def _state(state: str) -> str:
    return f"{_GLYPHS.get(state, '✖')} {state}"  # type: ignore[call-overload]


def _host(view: HostView, now: datetime) -> Iterator[Sequence[str]]:
    system = view.system
    kernels = [kernel for server in view.servers for kernel in server.kernels]
    memory = f"{figures.size(system.memory_used)}/{figures.size(system.memory_total)}" if system else ""
    cpu = figures.percent(system.cpu_percent) if system and system.cpu_percent is not None else ""
    counts = str(len(kernels)) if kernels else ""
    yield view.name, _state(view.state), view.address, "", counts, cpu, memory, _gpu(view), ""
    for server in view.servers:
        yield from _server(server, now)


def _gpu(view: HostView) -> str:
    used = [gpu.utilization for gpu in view.system.gpus if gpu.utilization is not None] if view.system else []
    return figures.percent(sum(used) / len(used)) if used else ""


def _server(server: Server, now: datetime) -> Iterator[Sequence[str]]:
    where = server.id.partition(":")[2]
    name = f"  {server.app} {where if where.startswith(('/', '#')) else ':' + where}  {server.root_dir or ''}"
    unit = f"{server.unit.scope} unit {server.unit.name}" if server.unit else ""
    place = ", ".join(filter(None, (unit, _BINDS.get(server.bind, server.bind))))
    yield (
        *(
            name,
            _state(server.health),
            place,
            server.auth,
            _counted(server.kernels),
            figures.percent(server.cpu_percent),
        ),
        *(figures.size(server.rss), "", figures.age(figures.seconds_since(server.started_at, now))),
    )
    for kernel in server.kernels:
        yield _kernel(kernel, now)


def _counted(kernels: Sequence[Kernel]) -> str:
    counts = Counter(str(kernel.state) for kernel in kernels)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


def _kernel(kernel: Kernel, now: datetime) -> Sequence[str]:
    return (
        *(f"    {kernel.path or '(no notebook)'}", _state(kernel.state), kernel.spec or "", "", ""),
        *(figures.percent(kernel.cpu_percent), figures.size(kernel.rss)),
        figures.size(kernel.gpu_memory) if kernel.gpu_memory is not None else "",
        figures.age(figures.seconds_since(kernel.last_activity, now)),
    )
